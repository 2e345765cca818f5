{% autoescape off %}(function () {
  "use strict";
  var told = {{ told }};
  var dark = "rgba(20, 22, 28, 0.6)", line = "#8a8f98", accent = "#5750c7";

  // Styles are set by script, not in attributes: a page's policy may forbid those.
  function make(tag, style, text) {
    var node = document.createElement(tag);
    Object.assign(node.style, { boxSizing: "border-box", font: "15px/22px system-ui, sans-serif", margin: "0" }, style);
    if (text) node.textContent = text;
    return node;
  }

  function field(tag, name, label, value, type) {
    var holder = make("label", { display: "block", margin: "0 0 14px" });
    var box = make(tag, { display: "block", width: "100%", padding: "8px 10px", border: "1px solid " + line, borderRadius: "6px", background: "#fff", color: "#1b1d22", marginTop: "4px" });
    box.name = name;
    box.required = true;
    if (type) box.type = type;
    if (tag === "textarea") box.rows = 5;
    if (value) box.value = value;
    holder.append(make("span", { fontWeight: "600" }, label), box);
    return holder;
  }

  function button(text, isMain) {
    var node = make("button", { padding: "8px 14px", borderRadius: "6px", cursor: "pointer", fontWeight: "600", border: "1px solid " + (isMain ? accent : line), background: isMain ? accent : "#fff", color: isMain ? "#fff" : "#1b1d22" }, text);
    node.type = isMain ? "submit" : "button";
    return node;
  }

  var before = document.activeElement;
  var cover = make("div", { position: "fixed", inset: "0", zIndex: "2147483647", background: dark, overflow: "auto", padding: "24px" });
  cover.className = "sentry-error-embed-wrapper";
  var box = make("div", { maxWidth: "480px", margin: "6vh auto", padding: "24px", background: "#fff", color: "#1b1d22", borderRadius: "10px" });
  box.className = "sentry-error-embed";
  box.setAttribute("role", "dialog");
  box.setAttribute("aria-modal", "true");
  box.setAttribute("aria-label", told.title);
  var form = make("form", {});
  var note = make("p", { margin: "0 0 14px", color: "#b3261e" });
  note.setAttribute("role", "alert");
  var row = make("div", { display: "flex", gap: "8px", justifyContent: "flex-end" });
  var submit = button(told.labelSubmit, true), close = button(told.labelClose, false);
  row.append(close, submit);
  form.append(
    make("h2", { font: "600 19px/26px system-ui, sans-serif", margin: "0 0 4px" }, told.title),
    make("p", { margin: "0 0 18px", color: "#4d525c" }, told.subtitle + " " + told.subtitle2),
    note,
    field("input", "name", told.labelName, told.name),
    field("input", "email", told.labelEmail, told.email, "email"),
    field("textarea", "comments", told.labelComments, ""),
    row
  );
  box.append(form);
  cover.append(box);

  function leave() {
    cover.remove();
    document.removeEventListener("keydown", onKey, true);
    if (before && before.focus) before.focus();
    if (typeof window.sentryOnDialogClose === "function") window.sentryOnDialogClose();
    window.postMessage("__sentry_reportdialog_closed__", "*");
  }

  function onKey(event) {
    if (event.key === "Escape") leave();
  }

  function thank() {
    form.remove();
    var done = make("p", { margin: "0 0 18px" }, told.successMessage);
    done.setAttribute("role", "status");
    box.append(done, close);
    close.focus();
  }

  form.addEventListener("submit", function (event) {
    event.preventDefault();
    note.textContent = "";
    submit.disabled = true;
    var sent = new URLSearchParams(new FormData(form));
    fetch(told.action, { method: "POST", body: sent, credentials: "omit" }).then(
      function (answer) {
        submit.disabled = false;
        if (answer.ok) thank();
        else note.textContent = answer.status === 400 ? told.errorFormEntry : told.errorGeneric;
      },
      function () {
        submit.disabled = false;
        note.textContent = told.errorGeneric;
      }
    );
  });
  close.addEventListener("click", leave);
  document.addEventListener("keydown", onKey, true);
  (document.body || document.documentElement).append(cover);
  form.elements[told.name ? (told.email ? "comments" : "email") : "name"].focus();
})();{% endautoescape %}
