// A panel of labeled, native controls. One model holds the values of all of them.

let panels = 0;

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === undefined || value === null) continue;
    element.setAttribute(name, value === true ? "" : value);
  }
  // JupyterLab looks for this from the focused element upward and stops at the first shortcut that
  // fits, so a mark further out is too late: the left arrow would fold the notebook's heading.
  if (["input", "select", "textarea", "button"].includes(tag)) {
    element.setAttribute("data-lm-suppress-shortcuts", "true");
  }
  // Outside a form a browser takes a typed number when the field is left, but not on Enter.
  if (tag === "input" && attributes.type === "number") {
    element.addEventListener("keydown", (event) => {
      if (event.key === "Enter") element.dispatchEvent(new Event("change"));
    });
  }
  element.append(...children);
  return element;
}

function decimalsOf(step) {
  const text = String(step);
  return text.includes(".") ? text.length - text.indexOf(".") - 1 : 0;
}

function labelOf(spec, id) {
  const label = make("label", { class: "crs-label", for: id }, spec.label);
  if (spec.unit) label.append(" ", make("span", { class: "crs-unit" }, spec.unit));
  return label;
}

// Each builder returns { element, show(value) } and calls change(value) for what the user does.
const builders = {
  slider(spec, id, change) {
    const decimals = decimalsOf(spec.step);
    const inUnit = (value) => `${value.toFixed(decimals)}${spec.unit ? ` ${spec.unit}` : ""}`;
    const range = make("input", {
      type: "range", class: "crs-range", min: spec.minimum, max: spec.maximum, step: spec.step,
      "aria-label": `${spec.label}${spec.unit ? `, ${spec.unit}` : ""}, slider`,
    });
    const field = make("input", {
      type: "number", class: "crs-field", id, min: spec.minimum, max: spec.maximum, step: spec.step,
    });
    const show = (value) => {
      range.value = value;
      const span = spec.maximum - spec.minimum;
      range.style.setProperty("--crs-fill", `${(100 * (value - spec.minimum)) / span}%`);
      range.setAttribute("aria-valuetext", inUnit(value));
      if (document.activeElement !== field || Number(field.value) !== value) {
        field.value = value.toFixed(decimals);
      }
    };
    range.addEventListener("input", () => {
      const value = Number(range.value);
      show(value);
      change(value);
    });
    field.addEventListener("change", () => {
      const typed = field.value.trim() === "" ? NaN : Number(field.value);
      if (!Number.isFinite(typed)) {
        show(Number(range.value));
        return;
      }
      const value = Math.min(spec.maximum, Math.max(spec.minimum, typed));
      field.value = value.toFixed(decimals);
      show(Number(field.value));
      change(Number(field.value));
    });
    const element = make(
      "div", { class: "crs-control crs-control-slider" },
      labelOf(spec, id), make("div", { class: "crs-slider-row" }, range, field),
    );
    return { element, show };
  },

  counter(spec, id, change) {
    const button = (text, words) =>
      make("button", { type: "button", class: "crs-step", "aria-label": words }, text);
    const less = button("−", `one less: ${spec.label}`);
    const more = button("+", `one more: ${spec.label}`);
    const field = make("input", {
      type: "number", class: "crs-field", id, min: spec.minimum, max: spec.maximum, step: 1,
    });
    let current = spec.default;
    const show = (value) => {
      current = value;
      field.value = value;
      less.disabled = value <= spec.minimum;
      more.disabled = value >= spec.maximum;
    };
    const set = (value) => {
      if (!Number.isFinite(value)) value = current;
      value = Math.min(spec.maximum, Math.max(spec.minimum, Math.round(value)));
      show(value);
      change(value);
    };
    less.addEventListener("click", () => set(current - 1));
    more.addEventListener("click", () => set(current + 1));
    field.addEventListener("change", () => set(field.value === "" ? NaN : Number(field.value)));
    const element = make(
      "div", { class: "crs-control crs-control-counter" },
      labelOf(spec, id), make("div", { class: "crs-counter-row" }, less, field, more),
    );
    return { element, show };
  },

  choice(spec, id, change) {
    const select = make("select", { class: "crs-select", id });
    for (const [value, words] of spec.choices) {
      select.append(make("option", { value }, words));
    }
    select.addEventListener("change", () => change(select.value));
    const element = make(
      "div", { class: "crs-control crs-control-choice" }, labelOf(spec, id), select,
    );
    return { element, show: (value) => { select.value = value; } };
  },

  segments(spec, id, change) {
    const row = make("div", { class: "crs-segments" });
    const inputs = spec.choices.map(([value, words], position) => {
      const input = make("input", { type: "radio", name: id, id: `${id}-${position}`, value });
      input.addEventListener("change", () => change(value));
      row.append(make("label", { class: "crs-segment" }, input, make("span", {}, words)));
      return input;
    });
    const legend = make("legend", { class: "crs-label" }, spec.label);
    if (spec.unit) legend.append(" ", make("span", { class: "crs-unit" }, spec.unit));
    const element = make("fieldset", { class: "crs-control crs-control-segments" }, legend, row);
    return {
      element,
      show: (value) => inputs.forEach((input) => { input.checked = input.value === value; }),
    };
  },

  toggle(spec, id, change) {
    const box = make("input", { type: "checkbox", class: "crs-check", id });
    box.addEventListener("change", () => change(box.checked));
    const element = make(
      "div", { class: "crs-control crs-control-toggle" },
      make("label", { class: "crs-toggle", for: id }, box, make("span", {}, spec.label)),
    );
    return { element, show: (value) => { box.checked = value; } };
  },
};

function render({ model, el }) {
  const prefix = `crs-${(panels += 1)}-${Math.random().toString(36).slice(2, 7)}`;
  const specs = model.get("specs");
  const groups = model.get("groups");
  const views = {};

  const change = (name, value) => {
    model.set("values", { ...model.get("values"), [name]: value });
    model.save_changes();
    mark();
  };
  for (const spec of specs) {
    const id = `${prefix}-${spec.name}`;
    const view = builders[spec.kind](spec, id, (value) => change(spec.name, value));
    view.element.dataset.control = spec.name;
    if (spec.note) {
      const note = make("div", { class: "crs-note", id: `${id}-note` }, spec.note);
      view.element.append(note);
      view.element
        .querySelectorAll("input, select")
        .forEach((input) => input.setAttribute("aria-describedby", note.id));
    }
    views[spec.name] = view;
  }

  // Keys belong to the controls here, not to the notebook's command mode.
  const section = make("section", {
    class: "crs-panel", "aria-label": model.get("title"), "data-lm-suppress-shortcuts": "true",
  });
  const head = make("div", { class: "crs-head" }, make("div", { class: "crs-title" }, model.get("title")));
  if (model.get("resettable")) {
    const reset = make("button", { type: "button", class: "crs-button crs-reset" }, "Reset");
    reset.addEventListener("click", () => model.send({ reset: true }));
    head.append(reset);
  }
  section.append(head);

  const grouped = new Set(groups.flatMap((group) => group.controls));
  const always = specs.filter((spec) => !grouped.has(spec.name));
  if (always.length) {
    section.append(
      make("div", { class: "crs-grid crs-always" }, ...always.map((s) => views[s.name].element)),
    );
  }

  const tabs = [];
  if (groups.length) {
    const list = make("div", { class: "crs-tabs", role: "tablist", "aria-label": "Groups of controls" });
    // All pages share one place, so that what follows does not jump when another one is chosen.
    const pages = make("div", { class: "crs-pages" });
    section.append(list, pages);
    groups.forEach((group, position) => {
      const badge = make("span", { class: "crs-badge" });
      const tab = make("button", {
        type: "button", class: "crs-tab", role: "tab", id: `${prefix}-tab-${position}`,
        "aria-controls": `${prefix}-group-${position}`,
      }, make("span", {}, group.name), badge);
      const page = make("div", {
        class: "crs-grid crs-group", role: "tabpanel", id: `${prefix}-group-${position}`,
        "aria-labelledby": tab.id,
      }, ...group.controls.map((name) => views[name].element));
      const choose = () => {
        model.set("group", group.name);
        model.save_changes();
      };
      tab.addEventListener("click", choose);
      tab.addEventListener("keydown", (event) => {
        const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        if (!step) return;
        event.preventDefault();
        const next = tabs[(position + step + tabs.length) % tabs.length];
        next.tab.focus();
        next.tab.click();
      });
      list.append(tab);
      pages.append(page);
      tabs.push({ group, tab, page, badge });
    });
  }
  el.append(section);

  const hidden = () => {
    const names = new Set(model.get("hidden"));
    for (const [name, view] of Object.entries(views)) view.element.hidden = names.has(name);
  };
  const chosen = () => {
    for (const { group, tab, page } of tabs) {
      const on = group.name === model.get("group");
      tab.setAttribute("aria-selected", String(on));
      tab.tabIndex = on ? 0 : -1;
      page.hidden = !on;
    }
  };
  // How many controls of a group are off their default, so that a hidden group hides nothing.
  const mark = () => {
    const values = model.get("values");
    const defaults = Object.fromEntries(specs.map((spec) => [spec.name, spec.neutral]));
    const names = new Set(model.get("hidden"));
    for (const { group, badge } of tabs) {
      const count = group.controls.filter(
        (name) => !names.has(name) && values[name] !== defaults[name],
      ).length;
      badge.textContent = count ? String(count) : "";
      badge.setAttribute("aria-label", count ? `${count} set` : "");
      badge.hidden = !count;
    }
  };
  const values = () => {
    for (const [name, value] of Object.entries(model.get("values"))) views[name].show(value);
    mark();
  };
  model.on("change:values", values);
  model.on("change:hidden", () => { hidden(); mark(); });
  model.on("change:group", chosen);
  hidden();
  chosen();
  values();
  return () => {
    model.off("change:values");
    model.off("change:hidden");
    model.off("change:group");
  };
}

export default { render };
