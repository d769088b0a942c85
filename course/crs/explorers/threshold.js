// A line over a picture that can be dragged by hand. Keyboards and screen readers have the slider and
// the field of the same number, so this is hidden from them.

function render({ model, el }) {
  el.hidden = true;
  // As large as the plot inside the picture's margins.
  const area = document.createElement("div");
  const handle = document.createElement("div");
  const grip = document.createElement("div");
  const m = model.get("margins");
  area.setAttribute("aria-hidden", "true");
  area.style.cssText =
    `position:absolute;left:${m.l}px;right:${m.r}px;top:${m.t}px;height:${m.plot}px;` +
    "pointer-events:none";
  handle.className = "crs-threshold-handle";
  handle.style.cssText =
    "position:absolute;left:0;right:0;height:24px;margin-top:-12px;pointer-events:auto;" +
    "cursor:ns-resize;touch-action:none";
  grip.style.cssText =
    "position:absolute;right:-4px;top:3px;width:18px;height:18px;border-radius:50%;" +
    "background:#0f5c7a;border:2px solid #fff;box-shadow:0 0 0 1px #0f5c7a";
  handle.append(grip);
  area.append(handle);
  // The picture is put on the page a little later than this runs.
  const timer = setInterval(() => {
    const picture = el.closest(".crs-explorer")?.querySelector(".crs-picture");
    if (!picture) return;
    picture.append(area);
    clearInterval(timer);
  }, 50);

  let dragging = false;
  const place = (share) => {
    handle.style.top = `${100 * (1 - share)}%`;
  };
  const shareOf = (event) => {
    const box = area.getBoundingClientRect();
    return Math.min(1, Math.max(0, 1 - (event.clientY - box.top) / box.height));
  };
  // One message at a time: a new one goes out when the last has come back, and always at the end.
  let waiting = false;
  let next = null;
  const send = (share) => {
    if (waiting) {
      next = share;
      return;
    }
    waiting = true;
    next = null;
    model.send({ share });
    setTimeout(() => {
      waiting = false;
      if (next !== null) send(next);
    }, 60);
  };
  handle.addEventListener("pointerdown", (event) => {
    dragging = true;
    handle.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  handle.addEventListener("pointermove", (event) => {
    if (!dragging) return;
    place(shareOf(event));
    send(shareOf(event));
  });
  const end = () => {
    dragging = false;
  };
  handle.addEventListener("pointerup", end);
  handle.addEventListener("pointercancel", end);
  const show = () => {
    if (!dragging) place(model.get("share"));
  };
  model.on("change:share", show);
  show();
  return () => {
    clearInterval(timer);
    area.remove();
    model.off("change:share", show);
  };
}

export default { render };
