// Gives the figure beside it the role of an image, and its words.

function render({ model, el }) {
  el.hidden = true;
  let figure = null;
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
    if (!drawing || !figure.data || !figure.data.length) return false;
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
