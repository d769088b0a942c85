// A button that starts a long piece of work, a native progress bar, and a button that stops it.

function render({ model, el }) {
  const bar = document.createElement("div");
  bar.setAttribute("role", "group");
  bar.setAttribute("aria-label", model.get("name"));
  bar.dataset.lmSuppressShortcuts = "true";
  bar.style.cssText =
    "display:flex;flex-wrap:wrap;align-items:center;gap:10px 14px;margin:14px 0 2px";
  const button = (action) => {
    const made = document.createElement("button");
    made.type = "button";
    made.className = "crs-button";
    made.addEventListener("click", action);
    bar.append(made);
    return made;
  };
  // Said to be shut rather than taken out of reach, so that the focus is not lost.
  const start = button(() => {
    if (start.getAttribute("aria-disabled") !== "true") model.send({ start: true });
  });
  start.classList.add("crs-button-main");
  const stop = button(() => {
    if (stop.getAttribute("aria-disabled") !== "true") model.send({ stop: true });
  });
  stop.textContent = "Cancel";
  const progress = document.createElement("progress");
  progress.setAttribute("aria-label", `${model.get("name")}: progress`);
  progress.style.cssText = "flex:1 1 120px;min-width:100px;max-width:320px;height:14px";
  progress.style.accentColor = "#0f5c7a";
  const words = document.createElement("span");
  words.style.cssText = "font-size:13px;color:#55646e;font-variant-numeric:tabular-nums";
  bar.append(progress, words);
  el.append(bar);

  const shut = (element, is) => {
    element.setAttribute("aria-disabled", String(is));
    element.style.opacity = is ? "0.55" : "";
    element.style.cursor = is ? "default" : "";
  };
  const show = () => {
    const running = model.get("running");
    start.textContent = model.get("label");
    shut(start, running || model.get("complete"));
    shut(stop, !running);
    progress.max = model.get("total");
    progress.value = model.get("done");
    words.textContent = model.get("words");
  };
  model.on("change", show);
  show();
  return () => model.off("change", show);
}

export default { render };
