/* How each kind of mark is drawn on a canvas: lines, bands, bars, cells …, in the colours of the page. */
"use strict";
const simorcMarks = (() => {
  const css = name => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const paint = colour => (!colour || colour[0] === "#" ? colour : css(colour));
  const known = value => value !== null && value !== undefined && Number.isFinite(value);

  const DRAW = {
    line(context, mark, at, ratio) {
      context.strokeStyle = context.fillStyle = paint(mark.colour || "s0");
      context.lineWidth = (mark.thin ? 1 : 1.9) * (mark.hot ? 2.4 : 1) * ratio;
      context.globalAlpha = mark.thin && !mark.hot ? 0.75 : 1;
      context.setLineDash(mark.dotted ? [2 * ratio, 3 * ratio] : []);
      context.lineJoin = "round";
      context.beginPath();
      let open = false;
      for (let i = 0; i < mark.x.length; i++) {
        if (!known(mark.x[i]) || !known(mark.y[i])) { open = false; continue; }
        const x = at.x(mark.x[i]), y = at.y(mark.y[i]);
        if (open) context.lineTo(x, y); else context.moveTo(x, y);
        open = true;
      }
      context.stroke();
      if (!mark.marker) return;
      const step = Math.max(1, Math.floor(mark.x.length / 15));
      for (let i = 0; i < mark.x.length; i += step) if (known(mark.y[i])) disc(context, at.x(mark.x[i]), at.y(mark.y[i]), (mark.thin ? 2.2 : 3) * ratio);
    },
    dots(context, mark, at, ratio) {
      context.fillStyle = paint(mark.colour);
      context.globalAlpha = 0.75;
      mark.x.forEach((x, i) => known(mark.y[i]) && disc(context, at.x(x), at.y(mark.y[i]), 2.6 * ratio));
    },
    rings(context, mark, at, ratio) {
      context.strokeStyle = paint(mark.colour);
      context.lineWidth = 1.6 * ratio;
      mark.x.forEach((x, i) => {
        if (!known(mark.y[i])) return;
        context.beginPath();
        context.arc(at.x(x), at.y(mark.y[i]), 5.5 * ratio, 0, 7);
        context.stroke();
      });
    },
    band(context, mark, at) {
      const points = mark.x.map((x, i) => [x, mark.y[i], mark.y2[i]]).filter(point => point.every(known));
      if (!points.length) return;
      context.fillStyle = paint(mark.colour || "s0");
      context.globalAlpha = 0.17;
      context.beginPath();
      for (const [x, low] of points) context.lineTo(at.x(x), at.y(low));
      for (const [x, , high] of points.reverse()) context.lineTo(at.x(x), at.y(high));
      context.fill();
    },
    stems(context, mark, at, ratio) {
      context.strokeStyle = paint(mark.colour || "s0");
      context.globalAlpha = 0.6;
      context.lineWidth = 2.4 * ratio;
      context.beginPath();
      mark.x.forEach((x, i) => {
        if (!known(mark.y[i]) || !known(mark.y2[i])) return;
        context.moveTo(at.x(x), at.y(mark.y[i]));
        context.lineTo(at.x(x), at.y(mark.y2[i]));
      });
      context.stroke();
    },
    bars(context, mark, at, ratio) {
      context.fillStyle = paint(mark.colour || "s0");
      context.strokeStyle = css("paper");
      context.lineWidth = ratio;
      boxes(mark, at, (box, i) => { context.globalAlpha = mark.hot === i ? 0.75 : 1; context.fillRect(...box); if (Math.abs(box[2]) > 6 * ratio) context.strokeRect(...box); });
    },
    cells(context, mark, at, ratio) {
      context.lineWidth = ratio;
      context.textAlign = "center";
      context.textBaseline = "middle";
      context.font = `${11 * ratio}px ${getComputedStyle(document.body).fontFamily}`;
      boxes(mark, at, (box, i) => {
        if (mark.colours[i]) { context.fillStyle = mark.colours[i]; context.fillRect(...box); }
        context.strokeStyle = css(mark.colours[i] ? "paper" : "grid");
        context.strokeRect(...box);
        const label = (mark.labels || [])[i];
        if (!label || context.measureText(label).width > Math.abs(box[2]) - 4 * ratio) return;
        context.fillStyle = paint(mark.inks[i]);
        context.fillText(label, box[0] + box[2] / 2, box[1] + box[3] / 2);
      });
    },
    frames(context, mark, at, ratio) {
      context.lineWidth = 1.6 * ratio;
      context.setLineDash([4 * ratio, 3 * ratio]);
      boxes(mark, at, (box, i) => { context.strokeStyle = paint(mark.inks[i] || "ink"); context.strokeRect(...box); });
    },
    targets() {},
  };
  const disc = (context, x, y, radius) => { context.beginPath(); context.arc(x, y, radius, 0, 7); context.fill(); };
  const boxes = (mark, at, use) => mark.x.forEach((x, i) => {
    const left = at.x(x), top = at.y(mark.y2[i]);
    use([left, top, at.x(mark.x2[i]) - left, at.y(mark.y[i]) - top], i);
  });

  return { DRAW, css, known };
})();
