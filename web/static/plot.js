import { element, setText } from "./dom.js";

const points = 300; // one a second: five minutes

// Plot is a small line of one figure over the last five minutes. Its node is a figure with
// the name, the newest value and the highest value in words.
export class Plot {
  constructor(name, format) {
    this.name = name;
    this.format = format;
    this.values = [];
    this.canvas = element("canvas", { role: "img", "aria-label": `${name}, last five minutes` });
    this.now = element("span", { class: "plot-now" });
    this.most = element("span", { class: "plot-most" });
    this.node = element("figure", { class: "plot" },
      element("figcaption", {}, element("span", {}, name), this.now, this.most), this.canvas);
    this.resize = new ResizeObserver(() => this.#draw());
    this.resize.observe(this.canvas);
  }

  // add takes one value, once per second; null leaves a gap.
  add(value) {
    this.values.push(value);
    if (this.values.length > points) this.values.shift();
    const known = this.values.filter((v) => v != null);
    setText(this.now, this.format(value));
    setText(this.most, known.length ? `most ${this.format(Math.max(...known))}` : "");
    this.#draw();
  }

  close() {
    this.resize.disconnect();
  }

  #draw() {
    const { canvas } = this;
    const ratio = devicePixelRatio || 1;
    const width = Math.round(canvas.clientWidth * ratio);
    const height = Math.round(canvas.clientHeight * ratio);
    if (!width || !height) return;
    if (canvas.width !== width) canvas.width = width;
    if (canvas.height !== height) canvas.height = height;
    const style = getComputedStyle(canvas);
    const pen = canvas.getContext("2d");
    pen.clearRect(0, 0, width, height);

    pen.strokeStyle = style.getPropertyValue("--line");
    pen.lineWidth = ratio;
    pen.beginPath();
    for (let minute = 0; minute <= 5; minute++) {
      const x = Math.round((minute / 5) * (width - ratio)) + ratio / 2;
      pen.moveTo(x, 0);
      pen.lineTo(x, height);
    }
    pen.moveTo(0, height - ratio / 2);
    pen.lineTo(width, height - ratio / 2);
    pen.stroke();

    const top = 1.15 * Math.max(...this.values, 1e-9);
    const x = (i) => ((points - this.values.length + i) / (points - 1)) * width;
    const y = (v) => height - ratio - (v / top) * (height - 2 * ratio);
    pen.strokeStyle = pen.fillStyle = style.color;
    pen.lineWidth = 1.5 * ratio;
    pen.lineJoin = "round";
    for (const [from, to] of runs(this.values)) {
      pen.beginPath();
      for (let i = from; i < to; i++) pen.lineTo(x(i), y(this.values[i]));
      pen.stroke();
      pen.lineTo(x(to - 1), height);
      pen.lineTo(x(from), height);
      pen.globalAlpha = 0.15;
      pen.fill();
      pen.globalAlpha = 1;
    }
  }
}

// runs gives [from, to) of each stretch without a gap.
function runs(values) {
  const found = [];
  let from = -1;
  for (let i = 0; i <= values.length; i++) {
    const known = i < values.length && values[i] != null;
    if (known && from < 0) from = i;
    if (!known && from >= 0) {
      found.push([from, i]);
      from = -1;
    }
  }
  return found;
}
