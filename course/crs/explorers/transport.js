// Play, pause and step through time. The kernel owns the hour; this asks for the next one.

const TICK_MS = 350;

function render({ model, el }) {
  const bar = document.createElement("div");
  bar.className = "crs-transport";
  bar.setAttribute("role", "group");
  bar.setAttribute("aria-label", "Time");
  bar.dataset.lmSuppressShortcuts = "true";
  const button = (words, action) => {
    const made = document.createElement("button");
    made.type = "button";
    made.className = "crs-button";
    made.textContent = words;
    made.addEventListener("click", action);
    bar.append(made);
    return made;
  };
  const play = button("Play", () => {
    model.set("playing", !model.get("playing"));
    model.save_changes();
  });
  play.classList.add("crs-transport-play");
  const back = button("6 hours back", () => model.send({ step: -6 }));
  const on = button("6 hours on", () => model.send({ step: 6 }));
  const next = button("Next decision", () => model.send({ next: true }));
  const words = document.createElement("span");
  words.className = "crs-transport-words";
  bar.append(words);
  el.append(bar);

  let timer = null;
  // The hour that was asked for last: the next is asked for only when that one has come.
  let asked = null;
  const tick = () => {
    if (asked !== null && model.get("hour") === asked) return;
    asked = model.get("hour");
    model.send({ step: 1 });
  };
  // Said to be shut rather than taken out of reach, so that the focus is not lost.
  const shut = (element, is) => element.setAttribute("aria-disabled", String(is));
  const show = () => {
    const playing = model.get("playing");
    play.textContent = playing ? "Pause" : "Play";
    words.textContent = model.get("words");
    shut(play, model.get("waiting") || model.get("hour") >= model.get("last"));
    shut(on, model.get("waiting") || model.get("hour") >= model.get("last"));
    shut(back, model.get("hour") <= 0);
    shut(next, model.get("waiting") || !model.get("ahead"));
    next.classList.toggle("crs-button-main", model.get("ahead") && !model.get("waiting"));
    if (playing && timer === null) {
      asked = null;
      timer = setInterval(tick, TICK_MS);
    } else if (!playing && timer !== null) {
      clearInterval(timer);
      timer = null;
    }
  };
  model.on("change", show);
  show();
  return () => {
    model.off("change", show);
    if (timer !== null) clearInterval(timer);
  };
}

export default { render };
