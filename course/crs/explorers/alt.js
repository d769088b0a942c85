// Gives the figure beside it the role of an image, and its words; asks for it again if it is empty.

// A figure whose data got lost on the way to the browser never draws itself. On a busy machine that
// happens when cells run while JupyterLab still asks the kernel which widgets there are.
const PATIENCE_MS = 3000;

function render({ model, el }) {
  el.hidden = true;
  let figure = null;
  let empty_since = null;
  const apply = () => {
    if (!figure) return;
    figure.setAttribute("role", "img");
    figure.setAttribute("aria-label", model.get("text"));
  };
  const find = () => {
    const box = el.closest(".crs-picture");
    figure = box && box.querySelector(".js-plotly-plot");
    apply();
    const drawing = figure && figure.querySelector(".main-svg");
    if (!drawing) return false;
    if (!figure.data || !figure.data.length) {
      empty_since ??= Date.now();
      if (Date.now() - empty_since > PATIENCE_MS) {
        empty_since = null;
        model.send({ empty: true });
      }
      return false;
    }
    // It was drawn before it stood on the page; this makes it take the page's width. Only this
    // one: a resize event for all would empty figures that are still being drawn.
    if (Math.abs(drawing.clientWidth - figure.clientWidth) > 1) figure._responsiveChartHandler?.();
    return true;
  };
  model.on("change:text", apply);
  // The figure draws itself a little later than this runs.
  const timer = setInterval(() => { if (find()) clearInterval(timer); }, 50);
  return () => clearInterval(timer);
}

export default { render };
