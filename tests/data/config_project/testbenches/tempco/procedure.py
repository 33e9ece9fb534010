def measure(bench, case):
    return {}
