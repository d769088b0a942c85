// A sentence that says what the picture shows. The element stays, so that a screen reader hears changes.

function render({ model, el }) {
  const line = document.createElement("p");
  line.className = "crs-sentence";
  line.setAttribute("aria-live", "polite");
  const show = () => {
    line.textContent = model.get("text");
    line.classList.toggle("crs-refusal", model.get("refused"));
  };
  model.on("change:text", show);
  model.on("change:refused", show);
  show();
  el.append(line);
}

export default { render };
