// A region that screen readers hear when it changes, and that can take the focus.

function render({ model, el }) {
  const region = document.createElement("div");
  region.className = "crs-live";
  region.setAttribute("aria-live", "polite");
  region.tabIndex = -1;
  const show = () => {
    region.innerHTML = model.get("html");
    region.hidden = !model.get("html");
  };
  const focus = (message) => {
    if (message && message.focus) {
      region.focus({ preventScroll: true });
      region.scrollIntoView({ block: "nearest" });
    }
  };
  model.on("change:html", show);
  model.on("msg:custom", focus);
  show();
  el.append(region);
  return () => {
    model.off("change:html", show);
    model.off("msg:custom", focus);
  };
}

export default { render };
