// A form of native fieldsets: it is filled in, committed once, and then shown with remarks.

let forms = 0;

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
  element.append(...children);
  return element;
}

function render({ model, el }) {
  const number = (forms += 1);
  // What scopes the styles: the form may stand inside an explorer or alone.
  const form = make("form", { class: "crs-form", "data-lm-suppress-shortcuts": "true" });
  el.append(form);
  let key = null;
  let parts = [];
  let button = null;
  let hint = null;

  const answers = () => model.get("answers");
  const answer = (name, value) => {
    model.set("answers", { ...answers(), [name]: value });
    model.save_changes();
    show();
  };

  const build = () => {
    const spec = model.get("spec");
    key = spec.key;
    form.replaceChildren();
    form.setAttribute("aria-label", spec.name);
    if (spec.kicker) form.append(make("div", { class: "crs-kicker" }, spec.kicker));
    if (spec.title) form.append(make("div", { class: "crs-form-title" }, spec.title));
    if (spec.text) form.append(make("p", { class: "crs-form-text" }, spec.text));
    parts = spec.questions.map((question, position) => {
      const id = `crs-form-${number}-${position}-${Math.random().toString(36).slice(2, 7)}`;
      const boxes = question.kind === "boxes";
      const options = question.options.map(([value, words], at) => {
        const input = make("input", {
          type: boxes ? "checkbox" : "radio", name: id, id: `${id}-${at}`, value,
          class: "crs-option-input",
        });
        const word = make("span", { class: "crs-option-word" });
        const remark = make("div", { class: "crs-option-remark", id: `${id}-${at}-remark` });
        input.addEventListener("change", () => {
          // Committed answers stay; the inputs stay in reach, so that remarks can be read by key.
          if (model.get("locked")) return show();
          if (!boxes) return answer(question.name, value);
          const ticked = new Set(answers()[question.name] ?? []);
          input.checked ? ticked.add(value) : ticked.delete(value);
          return answer(question.name, [...ticked]);
        });
        const row = make(
          "div", { class: "crs-option" },
          make(
            "label", { class: "crs-option-label", for: input.id }, input,
            make("span", { class: "crs-option-text" }, words), word,
          ),
          remark,
        );
        return { value, input, row, word, remark };
      });
      const legend = make("legend", { class: "crs-label" }, question.legend);
      const note = question.note ? [make("div", { class: "crs-note" }, question.note)] : [];
      form.append(make(
        "fieldset", { class: `crs-question crs-question-${question.kind}` }, legend, ...note,
        make("div", { class: "crs-options" }, ...options.map((option) => option.row)),
      ));
      return { question, options, boxes };
    });
    button = make("button", { type: "submit", class: "crs-button crs-button-main" }, spec.button);
    hint = make("span", { class: "crs-form-hint", id: `crs-form-${number}-hint` });
    button.setAttribute("aria-describedby", hint.id);
    form.append(make("div", { class: "crs-form-foot" }, button, hint));
  };

  const missing = () => parts
    .filter((part) => !part.boxes && !answers()[part.question.name])
    .map((part) => part.question.short);

  function show() {
    const locked = model.get("locked");
    const marks = model.get("marks");
    for (const { question, options, boxes } of parts) {
      const given = answers()[question.name];
      for (const option of options) {
        option.input.checked = boxes
          ? (given ?? []).includes(option.value) : given === option.value;
        option.input.setAttribute("aria-disabled", String(locked));
        option.row.classList.toggle("crs-chosen", option.input.checked);
        const mark = (marks[question.name] ?? {})[option.value];
        option.word.textContent = mark ? mark.word : "";
        option.remark.textContent = mark ? mark.text : "";
        option.word.hidden = !(mark && mark.word);
        option.remark.hidden = !(mark && mark.text);
        for (const tone of ["good", "bad", "plain"]) {
          option.row.classList.toggle(`crs-tone-${tone}`, Boolean(mark) && mark.tone === tone);
        }
        if (mark && mark.text) option.input.setAttribute("aria-describedby", option.remark.id);
        else option.input.removeAttribute("aria-describedby");
      }
    }
    const gaps = missing();
    // Said to be shut rather than taken out of reach, so that the reason can be found by keyboard.
    button.setAttribute("aria-disabled", String(locked || gaps.length > 0));
    button.hidden = locked;
    hint.hidden = locked;
    hint.textContent = gaps.length ? `Still to choose: ${gaps.join(", ")}` : "";
    form.classList.toggle("crs-form-locked", locked);
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!model.get("locked") && missing().length === 0) model.send({ commit: true });
  });

  const rebuild = () => {
    if (model.get("spec").key !== key) build();
    show();
  };
  build();
  show();
  const watched = { spec: rebuild, answers: show, locked: show, marks: show };
  for (const [name, react] of Object.entries(watched)) model.on(`change:${name}`, react);
  return () => {
    for (const [name, react] of Object.entries(watched)) model.off(`change:${name}`, react);
  };
}

export default { render };
