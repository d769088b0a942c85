// Draws a Plotly figure at the width of its place, and draws it again when the kernel changes it.

// Every widget has a module of its own, so the page keeps the one Plotly that all of them share.
function plotly(model) {
  const key = Symbol.for(`crs plotly ${model.get("plotly_version")}`);
  globalThis[key] ??= load(model).catch((error) => {
    delete globalThis[key];
    throw error;
  });
  return globalThis[key];
}

async function load(model) {
  const id = model.get("library").slice("IPY_MODEL_".length);
  const library = await model.widget_manager.get_model(id);
  const packed = new Blob([library.get("packed")]).stream();
  const code = await new Response(packed.pipeThrough(new DecompressionStream("gzip"))).blob();
  const url = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
  try {
    await import(url);
  } finally {
    URL.revokeObjectURL(url);
  }
  return globalThis.Plotly;
}

function render({ model, el }) {
  const box = document.createElement("div");
  box.setAttribute("role", "img");
  el.append(box);
  let Plotly = null;
  let width = 0;
  let drawn = 0; // at which width; 0 when it shows no longer what the model says
  const draw = () => {
    // What is hidden is drawn when it is shown.
    if (!Plotly || !width || drawn === width) return;
    drawn = width;
    // Plotly writes into what it is given.
    const [traces, layout] = structuredClone([model.get("traces"), model.get("plot_layout")]);
    // The settings go with the first drawing only: to compare them takes as long as to draw a line.
    const settings = box.data ? undefined : { displayModeBar: false, scrollZoom: false };
    Plotly.react(box, traces, { ...layout, width }, settings);
  };
  const describe = () => box.setAttribute("aria-label", model.get("alt"));
  const changed = () => {
    // Also before it is drawn, so that what is below does not jump.
    box.style.height = `${model.get("plot_layout").height}px`;
    drawn = 0;
  };
  const watch = new ResizeObserver((entries) => {
    width = Math.floor(entries[entries.length - 1].contentRect.width);
    draw();
  });
  describe();
  changed();
  const listeners = [
    ["change:alt", describe],
    ["change:traces", changed],
    ["change:plot_layout", changed],
    ["change", draw], // once for all that a message brings
  ];
  for (const [event, listener] of listeners) model.on(event, listener);
  watch.observe(el);
  plotly(model).then(
    (loaded) => {
      Plotly = loaded;
      draw();
    },
    (error) => {
      box.textContent = `This picture could not be drawn (${error.message}). In words: ${model.get("alt")}`;
    },
  );
  return () => {
    for (const [event, listener] of listeners) model.off(event, listener);
    watch.disconnect();
    width = 0;
    Plotly?.purge(box);
  };
}

export default { render };
