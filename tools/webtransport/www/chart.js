/* SPDX-License-Identifier: MIT
 *
 * A line chart on a canvas, in the colours of the style sheet, with a scale that fits its values.
 */

/** A line over a filled area, with a scale that fits; NaN stands for "lost" and becomes a red tick. */
export class Chart {
  constructor(canvas, unit) {
    this.canvas = canvas;
    this.unit = unit;
    this.values = [];
    this.labels = ['', ''];
    this.capacity = 2;
    this.waiting = false;
    new ResizeObserver(() => this.redraw()).observe(canvas);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.redraw());
  }

  show(values, capacity, labels) {
    this.values = values;
    this.capacity = Math.max(2, capacity);
    this.labels = labels;
    this.redraw();
  }

  redraw() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      this.draw();
    });
  }

  /** 1, 2 or 5 times a power of ten, so that at most five lines fit under `top`. */
  static step(top) {
    const rough = top / 5;
    const power = 10 ** Math.floor(Math.log10(rough));
    return power * [1, 2, 5, 10].find((factor) => factor * power >= rough);
  }

  draw() {
    const ratio = devicePixelRatio || 1;
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (width === 0) return;
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    const pen = this.canvas.getContext('2d');
    pen.scale(ratio, ratio);
    const style = getComputedStyle(this.canvas);
    const colour = (name) => style.getPropertyValue(name).trim();
    const area = { left: 52, right: width - 12, top: 14, bottom: height - 24 };
    const top = Math.max(...this.values.filter(Number.isFinite), 0) * 1.15 || 1;
    const x = (i) => area.left + ((area.right - area.left) * i) / (this.capacity - 1);
    const y = (value) => area.bottom - ((area.bottom - area.top) * value) / top;
    this.drawScale(pen, colour, area, top, y);
    this.drawLine(pen, colour, area, x, y);
  }

  drawScale(pen, colour, area, top, y) {
    const step = Chart.step(top);
    pen.font = '11px system-ui, sans-serif';
    pen.strokeStyle = colour('--line');
    pen.fillStyle = colour('--muted');
    pen.lineWidth = 1;
    pen.textAlign = 'right';
    pen.textBaseline = 'middle';
    for (let value = 0; value <= top; value += step) {
      const at = Math.round(y(value)) + 0.5;
      pen.beginPath();
      pen.moveTo(area.left, at);
      pen.lineTo(area.right, at);
      pen.stroke();
      pen.fillText(Number(value.toPrecision(3)).toString(), area.left - 8, at);
    }
    pen.textBaseline = 'alphabetic';
    pen.textAlign = 'left';
    pen.fillText(`${this.unit}   ${this.labels[0]}`, area.left, area.bottom + 17);
    pen.textAlign = 'right';
    pen.fillText(this.labels[1], area.right, area.bottom + 17);
  }

  drawLine(pen, colour, area, x, y) {
    const known = this.values.map((value, i) => [i, value]).filter(([, value]) => Number.isFinite(value));
    if (known.length > 0) {
      pen.beginPath();
      known.forEach(([i, value]) => pen.lineTo(x(i), y(value)));
      pen.strokeStyle = colour('--chart');
      pen.lineWidth = 1.75;
      pen.lineJoin = 'round';
      pen.stroke();
      pen.lineTo(x(known[known.length - 1][0]), area.bottom);
      pen.lineTo(x(known[0][0]), area.bottom);
      pen.fillStyle = colour('--chart-fill');
      pen.fill();
      const [lastIndex, last] = known[known.length - 1];
      pen.beginPath();
      pen.arc(x(lastIndex), y(last), 3, 0, 7);
      pen.fillStyle = colour('--chart');
      pen.fill();
    }
    pen.fillStyle = colour('--bad');
    this.values.forEach((value, i) => {
      if (Number.isNaN(value)) pen.fillRect(x(i) - 1, area.top, 2, area.bottom - area.top);
    });
  }
}
