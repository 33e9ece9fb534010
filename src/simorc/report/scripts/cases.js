/* The case table: sorts, filters and pages the columns that the page carries, and draws only the rows that are seen.
   Other scripts of the page use `simorcCases`: what is known of a case by its number. */
"use strict";
const simorcCases = (() => {
  const PREFIXES = { f: 1e-15, p: 1e-12, n: 1e-9, u: 1e-6, "µ": 1e-6, m: 1e-3, k: 1e3, meg: 1e6, M: 1e6, g: 1e9, G: 1e9, t: 1e12, T: 1e12 };
  const CELLS = { o: "out", m: "marginal", f: "failed", x: "missing", p: "pending", n: "plain", i: "in", ".": "plain" };
  const WORDS = { f: "failed", x: "missing", p: "pending", n: "not measured" };
  const BADGES = { "in spec": "pass", "out of spec": "fail", failed: "fail", completed: "none", marginal: "marginal" };
  const element = document.getElementById("case-data");
  if (!element) return null;
  const data = JSON.parse(element.textContent);
  const count = data.state.length;
  const id = row => (data.ids ? data.ids[row] : row);
  const rowOf = number => (data.ids ? data.ids.indexOf(number) : number < count ? number : -1);
  const escape = text => String(text).replace(/[&<>"]/g, c => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);

  /* Like Python's %g: so many significant digits, no zeros at the end. */
  const general = (value, digits) => {
    if (value === 0) return "0";
    const power = Math.floor(Math.log10(Math.abs(Number(value.toPrecision(digits)))));
    return power < -4 || power >= digits
      ? value.toExponential(digits - 1).replace(/\.?0+e/, "e").replace(/e([+-])(\d)$/, "e$10$2")
      : String(Number(value.toPrecision(digits)));
  };
  const valueText = (measure, row) => {
    const value = measure.values[row];
    if (value === null) return WORDS[measure.kinds[row]] || "missing";
    const shown = value / measure.factor, bound = measure.bounds && measure.bounds[row];
    if (bound) {
      const limit = bound / measure.factor;
      const decimals = Math.min(Math.max(1 - Math.floor(Math.log10(limit)), 0), 12);
      return `${shown.toFixed(decimals)} ± ${limit.toFixed(decimals)}`;
    }
    return measure.decimals === null ? general(shown, measure.digits) : shown.toFixed(measure.decimals);
  };
  const parameterText = (parameter, row) => parameter.values[parameter.at[row]];
  const conditions = row => data.parameters.map(p => `${p.name}=${parameterText(p, row)}`).join(", ") || "the only case";
  const command = row => `simorc run ${data.run} --case ${id(row)}`;

  /* Columns: what sorts them and what a filter compares. Numbers of a measure compare as the column shows them. */
  const byAt = p => row => (p.numbers ? p.numbers[p.at[row]] : p.at[row]);
  const columns = [
    { name: "case", number: id, scale: 1 },
    { name: "state", number: row => data.state[row], text: row => data.states[data.state[row]], scale: 1 },
    ...data.parameters.map(p => ({ name: p.name, number: byAt(p), text: row => parameterText(p, row), scale: 1, numeric: !!p.numbers })),
    ...data.measures.map(m => ({ name: m.name, number: row => m.values[row], scale: m.factor })),
  ];
  const isNumeric = column => !column.text || column.numeric;

  /* A filter is words: `name<number`, `name=text`, or a text that some parameter, the state or the number has. */
  const COMPARE = { "=": (a, b) => a === b, "!=": (a, b) => a !== b, "<": (a, b) => a < b, ">": (a, b) => a > b, "<=": (a, b) => a <= b, ">=": (a, b) => a >= b };
  const numberOf = (text, scale) => {
    const match = /^([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)(meg|[fpnuµmkMgGtT])?$/.exec(text);
    return match ? Number(match[1]) * (match[2] ? PREFIXES[match[2]] : scale) : NaN;
  };
  const near = (a, b) => Math.abs(a - b) <= 1e-6 * Math.max(Math.abs(a), Math.abs(b));
  const term = word => {
    const match = /^([^<>=!]+)(<=|>=|!=|=|<|>)(.+)$/.exec(word);
    if (!match) {
      const wanted = word.toLowerCase();
      const texts = columns.filter(c => c.text);
      return row => String(id(row)) === wanted || texts.some(c => c.text(row).toLowerCase().includes(wanted));
    }
    const [, name, sign, text] = match;
    const column = columns.find(c => c.name === name);
    if (!column) throw new Error(`No column “${name}”. There are: ${columns.map(c => c.name).join(", ")}.`);
    const wanted = isNumeric(column) ? numberOf(text, column.scale) : NaN;
    if (!Number.isNaN(wanted)) {
      return row => {
        const value = column.number(row);
        if (value === null) return false;
        if (near(value, wanted)) return sign.includes("=") && sign !== "!=";
        return COMPARE[sign](value, wanted);
      };
    }
    if (!column.text || !["=", "!="].includes(sign)) throw new Error(`“${text}” is not a number, so “${word}” compares nothing.`);
    return row => COMPARE[sign](column.text(row).toLowerCase(), text.toLowerCase());
  };
  const filterOf = text => {
    const tests = text.split(/\s+/).filter(Boolean).map(term);
    return row => tests.every(test => test(row));
  };

  const api = { data, count, rowOf, conditions, command, valueText, escape, general, show: () => {} };
  const section = document.getElementById("cases");
  if (!section) return api;
  const find = selector => section.querySelector(selector);
  const body = find("tbody"), heads = [...section.querySelectorAll("thead th")], told = find(".told"), input = find("#case-filter");
  let sorted = { column: 0, descending: false }, states = new Set(), size = 50, page = 0, rows = [], chosen = -1, test = () => true;

  const order = () => {
    const { column, descending } = sorted, of = columns[column].number, sign = descending ? -1 : 1;
    rows = [];
    for (let row = 0; row < count; row++) if ((!states.size || states.has(data.state[row])) && test(row)) rows.push(row);
    if (column === 0 && !descending) return;
    rows.sort((a, b) => {
      const x = of(a), y = of(b);
      if (x === null || y === null) return x === y ? a - b : x === null ? 1 : -1;  // what has no value stands last
      return x === y ? a - b : sign * (x < y ? -1 : 1);
    });
  };
  const line = row => {
    const word = data.states[data.state[row]], badge = BADGES[word] || "incomplete";
    const cells = data.parameters.map(p => `<td${p.numbers ? ' class="num"' : ""}>${escape(parameterText(p, row))}</td>`);
    cells.push(...data.measures.map(m => `<td class="num ${CELLS[m.kinds[row]]}">${escape(valueText(m, row))}</td>`));
    const head = `<tr id="case-${id(row)}"${row === chosen ? ' class="chosen" aria-current="true"' : ""}><th scope="row" class="num"><a href="#case-${id(row)}">${id(row)}</a></th>`;
    const detail = `<tr class="detail"><td colspan="${columns.length}">Runs it alone: <code class="command">${escape(command(row))}</code></td></tr>`;
    return `${head}<td><span class="badge ${badge}">${escape(word)}</span></td>${cells.join("")}</tr>${row === chosen ? detail : ""}`;
  };
  const draw = () => {
    const pages = Math.max(1, Math.ceil(rows.length / size));
    page = Math.min(Math.max(page, 0), pages - 1);
    body.innerHTML = rows.slice(page * size, (page + 1) * size).map(line).join("");
    const some = rows.length === count ? "" : ` of ${count.toLocaleString("en")}`;
    told.textContent = rows.length ? `${rows.length.toLocaleString("en")}${some} cases, page ${page + 1} of ${pages}` : `No case of ${count.toLocaleString("en")} fits.`;
    for (const button of section.querySelectorAll(".pager button")) {
      button.disabled = button.dataset.step < 0 ? page === 0 : page >= pages - 1;
    }
  };
  const refresh = () => { order(); page = 0; draw(); };
  const filter = () => {
    try {
      test = filterOf(input.value);
      input.removeAttribute("aria-invalid");
      refresh();
    } catch (error) {
      input.setAttribute("aria-invalid", "true");
      told.textContent = error.message;
    }
  };
  const sortBy = column => {
    sorted = { column, descending: sorted.column === column && !sorted.descending };
    heads.forEach((head, i) => head.setAttribute("aria-sort", i === column ? (sorted.descending ? "descending" : "ascending") : "none"));
    refresh();
  };
  const show = number => {
    const row = rowOf(number);
    if (row < 0) return;
    if (!rows.includes(row)) { input.value = ""; states.clear(); chips(); filter(); }
    chosen = row;
    page = Math.floor(rows.indexOf(row) / size);
    draw();
    const shown = document.getElementById(`case-${number}`);
    shown.scrollIntoView({ block: "center" });
    shown.querySelector("a").focus({ preventScroll: true });
  };
  const fromAddress = () => { const match = /^#case-(\d+)$/.exec(location.hash); if (match) show(Number(match[1])); };

  const chips = () => {
    for (const chip of section.querySelectorAll(".chips button")) chip.setAttribute("aria-pressed", String(states.has(Number(chip.dataset.state))));
  };
  find(".chips").innerHTML = data.states.map((word, i) => {
    const members = data.state.reduce((sum, at) => sum + (at === i), 0);
    return `<button type="button" data-state="${i}" aria-pressed="false">${escape(word)} <b>${members.toLocaleString("en")}</b></button>`;
  }).join("");
  find(".chips").addEventListener("click", event => {
    const chip = event.target.closest("button");
    if (!chip) return;
    const at = Number(chip.dataset.state);
    if (!states.delete(at)) states.add(at);
    chips();
    refresh();
  });
  heads.forEach((head, i) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    head.setAttribute("aria-sort", i === 0 ? "ascending" : "none");
    button.addEventListener("click", () => sortBy(i));
  });
  let waiting = 0;
  input.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(filter, count > 20000 ? 150 : 30); });
  find(".tools").addEventListener("submit", event => event.preventDefault());
  find("#case-size").addEventListener("change", event => { size = Number(event.target.value); page = 0; draw(); });
  find(".pager").addEventListener("click", event => {
    const button = event.target.closest("button");
    if (!button) return;
    const step = Number(button.dataset.step);
    page = Math.abs(step) > 1 ? (step < 0 ? 0 : Infinity) : page + step;
    draw();
  });
  document.addEventListener("click", event => {  // the same address again is no change of it
    const link = event.target.closest('a[href^="#case-"]');
    if (link && link.hash === location.hash) { event.preventDefault(); fromAddress(); }
  });
  window.addEventListener("hashchange", fromAddress);
  section.classList.add("live");
  refresh();
  fromAddress();
  return Object.assign(api, { show });
})();
