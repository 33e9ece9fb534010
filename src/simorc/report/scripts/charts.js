/* Plots that zoom and name the case under the pointer. Axes, scales and the selection by dragging are uPlot's; marks are
   drawn here, from the same data as the static picture, which stays for paper and for readers without a script. */
"use strict";
(() => {
  const HEIGHT = 270, REACH = 26;
  const { DRAW, css, known } = simorcMarks;
  const cases = simorcCases;

  /* Numbers as on the static picture: engineering prefixes, no zeros at the end. */
  const general = value => (Math.abs(value) < 1e-12 ? "0" : String(Number(value.toPrecision(6))));
  const PREFIXES = ["f", "p", "n", "µ", "m", "", "k", "M", "G", "T"];
  const engineering = (value, unit) => {
    if (!value) return `0 ${unit}`.trim();
    const step = Math.min(Math.max(Math.floor(Math.log10(Math.abs(value) * (1 + 1e-9)) / 3), -5), 4);
    return `${general(value / 10 ** (3 * step))}${unit ? " " : ""}${PREFIXES[step + 5]}${unit}`;
  };
  const shown = (scale, value) => {
    const tick = (scale.ticks || []).find(([at]) => Math.abs(at - value) < 1e-9 * Math.max(1, Math.abs(at)));
    if (tick) return tick[1];
    return ["log", "engineering"].includes(scale.form) ? engineering(value, scale.unit || "") : general(value);
  };

  /* What a mark covers, and what is said of one of its points. */
  const isArea = mark => ["bars", "cells"].includes(mark.kind);
  const isPointed = mark => ["line", "dots", "rings", "targets"].includes(mark.kind);
  const caseAt = (mark, i) => (!mark.cases || !mark.cases.length ? -1 : mark.cases.length === mark.x.length ? mark.cases[i] : mark.cases[0]);
  const range = (panel, which) => {
    const scale = panel[which];
    if (known(scale.low) && known(scale.high)) return [scale.low, scale.high];
    let low = Infinity, high = -Infinity;
    for (const mark of panel.marks) for (const values of [mark[which], mark[`${which}2`] || []]) for (const value of values) {
      if (!known(value) || (scale.form === "log" && value <= 0)) continue;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
    if (low > high) return scale.form === "log" ? [1, 10] : [0, 1];
    if (scale.form === "log") return low < high ? [low / (high / low) ** 0.03, high * (high / low) ** 0.03] : [low / 2, high * 2];
    const pad = (high - low) * 0.05 || Math.abs(high) * 0.05 || 1;
    return [low - pad, high + pad];
  };
  const said = (panel, mark, i) => {
    const number = caseAt(mark, i), lines = [];
    const texts = mark.texts || [], text = texts.length === mark.x.length ? texts[i] : texts[0];
    if (number >= 0) {
      const row = cases ? cases.rowOf(number) : -1;
      lines.push(`Case ${number}${row >= 0 ? `: ${cases.conditions(row)}` : ""}`);
    }
    if (text) lines.push(text);
    else lines.push(`${number < 0 && mark.name ? `${mark.name}: ` : ""}${panel.x.label} ${shown(panel.x, mark.x[i])}, ${panel.y.label} ${shown(panel.y, mark.y[i])}`);
    return lines;
  };

  const axis = (scale, which, font) => {
    const made = {
      label: scale.label || undefined, labelSize: 22, labelGap: 2, gap: 4, font: `11.5px ${font}`, labelFont: `12px ${font}`, stroke: () => css("muted"),
      grid: { stroke: () => css("grid"), width: 1 }, ticks: { stroke: () => css("muted"), width: 1, size: 4 },
      values: (_, splits) => splits.map(value => (value === null ? "" : shown(scale, value))),
    };
    if (which === "y") {
      made.size = (plot, values) => {
        const context = plot.ctx;
        context.save();
        context.font = made.font;
        const widest = Math.max(0, ...(values || []).map(text => context.measureText(text).width));
        context.restore();
        return Math.ceil(widest) + 14;
      };
    }
    if (which === "x") { made.space = 62; made.size = 28; }
    if (scale.form === "log") made.splits = (plot, _, low, high) => decades(plot, which, low, high);
    if (scale.ticks && scale.ticks.length) made.splits = (plot, _, low, high) => thinned(plot, which, scale.ticks.map(([at]) => at).filter(at => at >= low && at <= high));
    if (scale.whole) made.incrs = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000, 100000];
    return made;
  };
  const decades = (plot, which, low, high) => {
    const first = Math.ceil(Math.log10(low) - 1e-9), last = Math.floor(Math.log10(high) + 1e-9);
    if (last - first < 1) return [low, Math.sqrt(low * high), high];
    return thinned(plot, which, Array.from({ length: last - first + 1 }, (_, i) => 10 ** (first + i)));
  };
  const thinned = (plot, which, at) => {
    const room = plot.bbox[which === "x" ? "width" : "height"] / uPlot.pxRatio, step = Math.max(1, Math.ceil((at.length * (which === "x" ? 46 : 18)) / (room || 400)));
    return at.filter((_, i) => i % step === 0);
  };

  const build = (figure, holder, panel, hidden) => {
    const view = { x: range(panel, "x"), y: range(panel, "y") };
    const tip = document.createElement("div"), spot = document.createElement("i"), reset = document.createElement("button");
    tip.className = "tip";
    tip.hidden = spot.hidden = reset.hidden = true;
    spot.className = "spot";
    reset.className = "reset";
    reset.type = "button";
    reset.textContent = "Whole plot";
    const live = figure.querySelector(".spoken");
    let plot = null, hot = null;
    const visible = mark => !hidden.has(mark.colour || "s0") || mark.kind === "targets";
    const places = ratio => ({ x: value => plot.valToPos(value, "x", ratio), y: value => plot.valToPos(value, "y", ratio) });
    const draw = () => {
      const context = plot.ctx, { left, top, width, height } = plot.bbox, ratio = uPlot.pxRatio;
      context.save();
      context.beginPath();
      context.rect(left, top, width, height);
      context.clip();
      for (const mark of panel.marks) {
        if (!visible(mark)) continue;
        context.save();
        DRAW[mark.kind](context, mark, places(true), ratio);
        context.restore();
      }
      for (const rule of panel.rules || []) drawRule(context, rule, ratio);
      context.restore();
    };
    const drawRule = (context, rule, ratio) => {
      const { left, top, width, height } = plot.bbox, across = rule.axis !== "x", at = plot.valToPos(rule.at, across ? "y" : "x", true);
      context.strokeStyle = context.fillStyle = css("limit");
      context.lineWidth = 1.3 * ratio;
      context.setLineDash([6 * ratio, 4 * ratio]);
      context.beginPath();
      context.moveTo(across ? left : at, across ? at : top);
      context.lineTo(across ? left + width : at, across ? at : top + height);
      context.stroke();
      context.font = `${11 * ratio}px ${getComputedStyle(document.body).fontFamily}`;
      const wide = context.measureText(rule.text).width, before = !across && at + wide + 6 * ratio > left + width;
      context.textAlign = across || before ? "right" : "left";
      const under = !across || rule.text.startsWith("min"); // beyond the limit, where there is least to cover
      context.textBaseline = under ? "top" : "bottom";
      context.fillText(rule.text, across ? left + width - 4 * ratio : at + (before ? -4 : 4) * ratio, across ? at + (under ? 4 : -2) * ratio : top + 2 * ratio);
    };

    const find = (x, y) => {
      const at = places(false);
      let best = null, least = REACH * REACH;
      for (const mark of panel.marks) {
        if (!visible(mark)) continue;
        for (let i = 0; isPointed(mark) && i < mark.x.length; i++) {
          if (!known(mark.y[i])) continue;
          const dx = at.x(mark.x[i]) - x, dy = at.y(mark.y[i]) - y, far = dx * dx + dy * dy - (caseAt(mark, i) >= 0 ? 36 : 0);
          if (far < least) { least = far; best = { mark, i }; }
        }
      }
      if (best && least < 80) return best;
      for (const mark of [...panel.marks].reverse()) { // what lies on top is what is seen
        if (!isArea(mark) || !visible(mark)) continue;
        const i = mark.x.findIndex((_, k) => {
          const box = [at.x(mark.x[k]), at.x(mark.x2[k]), at.y(mark.y2[k]), at.y(mark.y[k])];
          return x >= box[0] && x <= box[1] && y >= Math.min(box[2], box[3]) && y <= Math.max(box[2], box[3]);
        });
        if (i >= 0) return { mark, i };
      }
      return best;
    };
    const heat = found => {
      const line = found && found.mark.kind === "line" && found.mark.thin ? found.mark : null;
      if (line === hot) return;
      if (hot) hot.hot = false;
      if (line) line.hot = true;
      hot = line;
      plot.redraw(false);
    };
    const point = (found, speak) => {
      heat(found);
      tip.hidden = spot.hidden = !found;
      plot.over.style.cursor = found && caseAt(found.mark, found.i) >= 0 ? "pointer" : "crosshair";
      if (!found) return;
      const { mark, i } = found, at = places(false), area = isArea(mark);
      const x = area ? (at.x(mark.x[i]) + at.x(mark.x2[i])) / 2 : at.x(mark.x[i]), y = area ? at.y(mark.y2[i]) : at.y(mark.y[i]);
      const lines = said(panel, mark, i);
      tip.replaceChildren(...lines.map((text, k) => Object.assign(document.createElement(k || lines.length === 1 ? "span" : "b"), { textContent: text })));
      spot.hidden = area;
      spot.style.translate = `${x}px ${y}px`;
      const room = plot.over.clientWidth;
      tip.style.left = `${Math.min(Math.max(x, tip.offsetWidth / 2), Math.max(room - tip.offsetWidth / 2, tip.offsetWidth / 2))}px`;
      tip.style.top = `${y}px`;
      tip.classList.toggle("below", y < tip.offsetHeight + 14);
      if (speak) live.textContent = lines.join(". ");
    };
    const open = found => {
      const number = found ? caseAt(found.mark, found.i) : -1;
      if (number >= 0 && cases) { if (location.hash === `#case-${number}`) cases.show(number); else location.hash = `#case-${number}`; }
    };
    const zoom = (x, y) => {
      point(null);
      plot.batch(() => { plot.setScale("x", { min: x[0], max: x[1] }); plot.setScale("y", { min: y[0], max: y[1] }); });
      reset.hidden = x === view.x && y === view.y;
    };
    const closer = factor => {
      const part = (name, log) => {
        const { min, max } = plot.scales[name], to = log ? Math.log10 : v => v, from = log ? v => 10 ** v : v => v;
        const middle = (to(min) + to(max)) / 2, half = ((to(max) - to(min)) / 2) * factor;
        return [from(middle - half), from(middle + half)];
      };
      zoom(part("x", panel.x.form === "log"), part("y", panel.y.form === "log"));
    };

    const font = getComputedStyle(document.body).fontFamily;
    const keep = (_, low, high) => [low, high];
    const options = {
      width: holder.clientWidth, height: HEIGHT, legend: { show: false }, padding: [12, 26, 0, 0],
      cursor: { points: { show: false }, x: false, y: false, drag: { x: true, y: true, uni: 24, setScale: false } },
      scales: {
        x: { time: false, auto: false, range: keep, distr: panel.x.form === "log" ? 3 : 1 },
        y: { auto: false, range: keep, distr: panel.y.form === "log" ? 3 : 1, dir: panel.y.down ? -1 : 1 },
      },
      axes: [axis(panel.x, "x", font), axis(panel.y, "y", font)],
      series: [{}, { scale: "y", paths: () => null, points: { show: false } }],
      hooks: {
        draw: [() => draw()],
        setSelect: [made => {
          const { left, top, width, height } = made.select;
          if (width < 6 && height < 6) return;
          const xs = width < 6 ? [made.scales.x.min, made.scales.x.max] : [made.posToVal(left, "x"), made.posToVal(left + width, "x")];
          const ys = height < 6 ? [made.scales.y.min, made.scales.y.max] : [made.posToVal(top + height, "y"), made.posToVal(top, "y")].sort((a, b) => a - b);
          zoom(xs, ys);
          made.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        }],
      },
    };
    plot = new uPlot(options, [view.x, view.y], holder);
    plot.over.append(spot, tip, reset);
    zoom(view.x, view.y);
    plot.over.addEventListener("mousemove", event => {
      if (event.target === reset) return;
      const box = plot.over.getBoundingClientRect();
      point(find(event.clientX - box.left, event.clientY - box.top));
    });
    plot.over.addEventListener("mouseleave", () => point(null));
    let pressed = null;
    plot.over.addEventListener("mousedown", event => { pressed = [event.clientX, event.clientY]; });
    plot.over.addEventListener("click", event => {
      if (event.target === reset || !pressed || Math.hypot(event.clientX - pressed[0], event.clientY - pressed[1]) > 5) return;
      const box = plot.over.getBoundingClientRect();
      open(find(event.clientX - box.left, event.clientY - box.top));
    });
    plot.over.addEventListener("dblclick", () => zoom(view.x, view.y));
    reset.addEventListener("mousedown", event => event.stopPropagation());
    reset.addEventListener("click", () => zoom(view.x, view.y));

    /* Keyboard: arrows walk over the points, Enter opens the case, + and - zoom, 0 shows the whole plot. */
    let walked = -1;
    const stops = () => panel.marks.filter(mark => visible(mark) && (isPointed(mark) || isArea(mark))).flatMap(mark => mark.x.map((_, i) => ({ mark, i })).filter(({ i }) => known(mark.y[i])));
    holder.addEventListener("keydown", event => {
      if (event.target === reset || event.ctrlKey || event.metaKey || event.altKey) return;
      const all = stops(), step = { ArrowRight: 1, ArrowLeft: -1, Home: -Infinity, End: Infinity }[event.key];
      if (step && all.length) { walked = Math.min(Math.max(walked + step, 0), all.length - 1); point(all[walked], true); }
      else if (event.key === "+" || event.key === "=") closer(0.6);
      else if (event.key === "-") closer(1 / 0.6);
      else if (event.key === "0") zoom(view.x, view.y);
      else if (event.key === "Escape") point(null);
      else if (event.key === "Enter") open(all[walked]);
      else return;
      event.preventDefault();
    });
    holder.addEventListener("blur", () => point(null));
    return { redraw: () => plot.redraw(false), resize: () => plot.setSize({ width: holder.clientWidth, height: HEIGHT }) };
  };

  const legendOf = (chart, hidden, redraw) => {
    const { name, values, colours, dots = [] } = chart.legend, list = document.createElement("div"), most = 8;
    list.className = "key-list";
    list.append(Object.assign(document.createElement("span"), { textContent: name }));
    const chosen = values.length <= most ? values.map((_, i) => i) : [...new Set(Array.from({ length: most }, (_, i) => Math.round((i * (values.length - 1)) / (most - 1))))];
    for (const i of chosen) {
      const button = document.createElement("button"), swatch = document.createElement("i");
      button.type = "button";
      button.setAttribute("aria-pressed", "true");
      swatch.classList.toggle("dot", dots.includes(i));
      swatch.style.background = colours[i][0] === "#" ? colours[i] : `var(--${colours[i]})`;
      button.append(swatch, String(values[i]));
      button.addEventListener("click", () => {
        if (!hidden.delete(colours[i])) hidden.add(colours[i]);
        button.setAttribute("aria-pressed", String(!hidden.has(colours[i])));
        redraw();
      });
      list.append(button);
    }
    return list;
  };
  const barOf = bar => {
    const made = document.createElement("div"), strip = document.createElement("i");
    made.className = "colour-bar";
    strip.style.background = `linear-gradient(to right, ${bar.stops.join(", ")})`;
    const text = content => Object.assign(document.createElement("span"), { textContent: content });
    made.append(text(bar.label), text(String(Number(bar.low.toPrecision(4)))), strip, text(String(Number(bar.high.toPrecision(4)))));
    return made;
  };
  const bring = figure => {
    const chart = JSON.parse(figure.querySelector("script.chart").textContent), hidden = new Set();
    const still = figure.querySelector(".still"), place = document.createElement("div"), title = figure.querySelector("h3").textContent;
    place.className = "live-part";
    still.after(place);
    figure.classList.add("live");
    const made = chart.panels.map(panel => {
      const holder = document.createElement("div");
      holder.className = "live-plot";
      holder.tabIndex = 0;
      holder.setAttribute("role", "group");
      holder.setAttribute("aria-roledescription", "interactive plot");
      holder.setAttribute("aria-label", `${title}: ${panel.y.label || ""}. Arrows walk over the points, Enter opens the case, plus and minus zoom, 0 shows the whole plot.`);
      place.append(holder);
      const drawn = build(figure, holder, panel, hidden);
      if (panel.bar) place.append(barOf(panel.bar));
      return drawn;
    });
    if (chart.legend) place.append(legendOf(chart, hidden, () => made.forEach(plot => plot.redraw())));
    return made;
  };

  const plots = new Map();
  const all = [...document.querySelectorAll("figure:has(script.chart)")];
  const watcher = new IntersectionObserver(entries => {
    for (const { target, isIntersecting } of entries) {
      if (!isIntersecting) continue;
      watcher.unobserve(target);
      plots.set(target, bring(target));
    }
  }, { rootMargin: "300px" });
  all.forEach(figure => watcher.observe(figure));
  const each = what => plots.forEach(made => made.forEach(plot => plot[what]()));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => each("redraw"));
  let waiting = 0;
  window.addEventListener("resize", () => { clearTimeout(waiting); waiting = setTimeout(() => each("resize"), 60); });
})();
