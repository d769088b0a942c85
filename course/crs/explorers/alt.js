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
    return Boolean(figure);
  };
  model.on("change:text", apply);
  // The figure draws itself a little later than this runs.
  const timer = setInterval(() => { if (find()) clearInterval(timer); }, 50);
  return () => clearInterval(timer);
}

export default { render };
