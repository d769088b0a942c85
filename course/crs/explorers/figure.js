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

// What can change without the axes and the words around them being drawn again, by type of trace.
const MOVING = {
  scatter: ["x", "y", "text", "customdata", "hovertemplate"],
  bar: ["x", "y", "base", "customdata", "hovertemplate"],
};
const AT_ONCE = {
  mode: "immediate",
  transition: { duration: 0 },
  frame: { duration: 0, redraw: false },
};

function part(trace, wanted) {
  return Object.fromEntries(Object.entries(trace).filter(([name]) => wanted(name)));
}

const isPoint = (x, y) => x !== null && y !== null;

// What must be the same for a figure to be moved instead of drawn; null where nothing can be.
function frameOf(traces, layout, width) {
  if (traces.some((trace) => !(trace.type in MOVING))) return null;
  const rests = traces.map((trace) => [
    part(trace, (name) => !MOVING[trace.type].includes(name)),
    Object.keys(trace),
    // A further bar would have no color, and a line that was empty would cover all others.
    trace.type === "bar" ? trace.x.length : trace.x.some((x, at) => isPoint(x, trace.y[at])),
  ]);
  return JSON.stringify([rests, layout, width]);
}

function render({ model, el }) {
  const box = document.createElement("div");
  box.setAttribute("role", "img");
  el.append(box);
  let Plotly = null;
  let width = 0;
  let drawn = 0; // at which width; 0 when it shows no longer what the model says
  let drawing = false;
  let frame = null; // what stands around the data that is drawn
  // Plotly keeps what it is given, and writes into it.
  const redraw = (traces, layout) => {
    // The settings go with the first drawing only: to compare them takes as long as to draw a line.
    const settings = box.data ? undefined : { displayModeBar: false, scrollZoom: false };
    return Plotly.react(box, traces, { ...layout, width }, settings);
  };
  const move = (traces) => {
    const data = traces.map((trace) => part(trace, (name) => MOVING[trace.type].includes(name)));
    const which = traces.map((_, at) => at);
    return Plotly.animate(box, { data, traces: which }, AT_ONCE);
  };
  // One drawing at a time: of what changes meanwhile, the last is drawn next.
  const draw = async () => {
    if (drawing) return;
    drawing = true;
    try {
      // What is hidden is drawn when it is shown.
      while (Plotly && width && drawn !== width) {
        drawn = width;
        const traces = JSON.parse(model.get("traces"));
        const layout = model.get("plot_layout");
        const before = frame;
        frame = frameOf(traces, layout, width);
        const moves = frame && frame === before;
        await (moves ? move(traces) : redraw(traces, JSON.parse(layout)));
      }
    } finally {
      drawing = false;
    }
  };
  const describe = () => box.setAttribute("aria-label", model.get("alt"));
  const changed = () => {
    // Also before it is drawn, so that what is below does not jump.
    box.style.height = `${JSON.parse(model.get("plot_layout")).height}px`;
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
