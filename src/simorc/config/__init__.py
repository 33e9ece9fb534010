"""The YAML files: reading, checking, and resolving them into a Plan. The only room with pydantic.

loader, document     YAML text into plain data that knows where each key stands
environment          `SIMORC_…` variables laid over it
models/              what keys there are: setup, testbench, sweep
validation           a document against a model, every problem in the words of the file
testbench_file, sweep_file, judged, axes, conditions
                     one file with its checks into the core's words
project, assembly    all files of a project together (project is light, assembly brings the models)
resolve              a project and a sweep's name into the Plan of a run
reference, scaffold  the other way: documentation and a first project out of the models
"""
