// Keyboard, palette, selection, toasts, copying. Every action is a link or a form underneath: a key only
// presses what is on the page (data-key), so help and palette list exactly what is possible here.
const $ = (query, from = document) => from.querySelector(query);
const $$ = (query, from = document) => [...from.querySelectorAll(query)];
const root = document.documentElement;
const store = (name, value) => {
  root.dataset[name] = value;
  try { localStorage.setItem(name, value); } catch { /* then it lasts as long as the page */ }
};

// What only works with script is shown by script.
const reveal = (from = document) => {
  $$(".js-only[hidden]", from).forEach((each) => { each.hidden = false; });
  $$("[data-unless-js]", from).forEach((each) => { each.hidden = true; });
};

// -- The list: the current row, the ticked ones ----------------------------------------------------------
let current = null; // the value of the current row's box, so that it survives a swap
let last = 0; // where it stood, for when it is gone: the next one has taken its place
const rows = () => $$(".row");
const box = (row) => $("input[name=id]", row);
const ticked = () => rows().filter((row) => box(row).checked);
const place = () => rows().findIndex((row) => box(row).value === current);

const mark = () => {
  rows().forEach((row) => row.classList.toggle("on", box(row).value === current));
  const count = ticked().length;
  const label = $(".selected b");
  if (label) label.textContent = count;
  // Merging takes two or more of one project.
  const several = count > 1 && new Set(ticked().map((row) => row.dataset.project)).size === 1;
  $$("[data-several]").forEach((each) => { each.disabled = !several; });
  const all = $("#all");
  if (all) {
    all.checked = count > 0 && count === rows().length;
    all.indeterminate = count > 0 && count < rows().length;
  }
};
const move = (step) => {
  const list = rows();
  if (!list.length) return;
  const from = place() >= 0 ? place() : last - (step > 0 ? 1 : 0);
  const at = Math.max(0, Math.min(list.length - 1, from + step));
  last = at;
  current = box(list[at]).value;
  mark();
  list[at].scrollIntoView({ block: "nearest" });
};
const onCurrent = (act) => {
  const row = rows()[place()];
  if (row) act(row);
};
const rowKeys = {
  j: ["Next issue", () => move(1)],
  k: ["Previous issue", () => move(-1)],
  x: ["Select", () => onCurrent((row) => { box(row).checked = !box(row).checked; mark(); })],
  Enter: ["Open", () => onCurrent((row) => $(".t", row).click())],
};

// -- Toasts ---------------------------------------------------------------------------------------------
let fading;
const fade = () => {
  clearTimeout(fading);
  if ($("#toast").childElementCount) fading = setTimeout(() => $("#toast").replaceChildren(), 8000);
};
const say = (text) => {
  const toast = document.createElement("div");
  toast.className = "toast";
  toast.textContent = text;
  $("#toast").replaceChildren(toast);
  fade();
};

// -- Copying --------------------------------------------------------------------------------------------
const copy = async (text) => {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea"); // plain http has no clipboard
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
};
const copyFrom = async (link) => {
  const answer = await fetch(link.href);
  if (!answer.ok) return say("It could not be fetched");
  await copy(await answer.text());
  say("Copied as Markdown");
};

// -- Dialogs: palette and keys --------------------------------------------------------------------------
const labelOf = (each) => each.dataset.label || each.getAttribute("aria-label") || each.textContent.replace(/\s+/g, " ").trim();
const shown = (each) => !each.closest("[hidden]") && !each.closest("dialog");
const keyed = () => $$("[data-key]").filter(shown);

const press = (each) => {
  if (each.matches("input")) { each.focus(); each.select?.(); }
  else each.click();
};

const commands = () => {
  const seen = new Set();
  const here = $$("main [data-key], .top [data-key]");
  const list = [...here, ...keyed(), ...$$(".side a:not(.brand), .tabs a, .top a, [data-do]")].filter(shown);
  return list.filter((each) => each.dataset.do !== "palette" && !seen.has(each) && seen.add(each));
};
const fillPalette = () => {
  const query = $("#palette input").value.trim();
  const list = $("#palette ul");
  const found = commands().filter((each) => labelOf(each).toLowerCase().includes(query.toLowerCase()));
  const items = found.map((each) => item(labelOf(each), each.dataset.key, () => press(each)));
  if (query && list.dataset.find) {
    items.push(item(`Find issues with “${query}”`, "", () => location.assign(list.dataset.find + encodeURIComponent(query))));
  }
  list.replaceChildren(...items);
  choose(0);
};
const item = (text, key, act) => {
  const li = document.createElement("li");
  li.role = "option";
  li.textContent = text;
  if (key) li.append(keycap(key));
  li.addEventListener("click", () => { $("#palette").close(); act(); });
  return li;
};
const keycap = (key) => {
  const kbd = document.createElement("kbd");
  kbd.textContent = key === "Escape" ? "Esc" : key;
  return kbd;
};
const choose = (at) => {
  const items = $$("#palette li");
  items.forEach((each, n) => {
    each.id = `command-${n}`;
    each.setAttribute("aria-selected", n === at);
  });
  items[at]?.scrollIntoView({ block: "nearest" });
  $("#palette input").setAttribute("aria-activedescendant", items.length ? `command-${at}` : "");
};
const steer = (event) => {
  const items = $$("#palette li");
  const at = items.findIndex((each) => each.getAttribute("aria-selected") === "true");
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step && items.length) { event.preventDefault(); choose((at + step + items.length) % items.length); }
  if (event.key === "Enter") { event.preventDefault(); items[at]?.click(); }
};

const fillKeys = () => {
  const pairs = rows().length ? Object.entries(rowKeys).map(([key, [label]]) => [key, label]) : [];
  pairs.push(...keyed().map((each) => [each.dataset.key, labelOf(each)]), ["Ctrl K", "Commands"]);
  $("#keys dl").replaceChildren(...pairs.flatMap(([key, label]) => {
    const dt = document.createElement("dt");
    const dd = document.createElement("dd");
    dt.append(keycap(key));
    dd.textContent = label;
    return [dt, dd];
  }));
};

const deeds = {
  theme: () => {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    store("theme", dark ? "light" : "dark");
  },
  density: () => store("density", root.dataset.density === "compact" ? "normal" : "compact"),
  keys: () => { fillKeys(); $("#keys").showModal(); },
  palette: () => { $("#palette input").value = ""; fillPalette(); $("#palette").showModal(); },
};

// -- Listening ------------------------------------------------------------------------------------------
let before = ""; // the first key of two, as in "g i"
const onKey = (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
    event.preventDefault();
    return $("#palette[open]") ? $("#palette").close() : deeds.palette();
  }
  if (event.ctrlKey || event.metaKey || event.altKey || $("dialog[open]")) return;
  if (event.target.matches("input:not([type=checkbox]), textarea, select")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (event.key === "Enter" && event.target.matches("a, button, summary")) return;
  const pair = `${before} ${event.key}`;
  before = event.key;
  const target = keyed().find((each) => each.dataset.key === pair) || keyed().find((each) => each.dataset.key === event.key);
  if (event.key === "Escape" && ticked().length) {
    ticked().forEach((row) => { box(row).checked = false; });
    return mark();
  }
  if (!target) return rows().length ? rowKeys[event.key]?.[1]() : undefined;
  event.preventDefault();
  if (target.name === "to" && target.closest(".bulk") && !target.disabled && !ticked().length) onCurrent((row) => { box(row).checked = true; mark(); });
  if (target.closest(".bulk") && !ticked().length) return;
  press(target);
};

const onClick = (event) => {
  const deed = event.target.closest("[data-do]");
  if (deed) return deeds[deed.dataset.do]();
  const button = event.target.closest("[data-copy]");
  if (button) return copy($(button.dataset.copy).textContent.trimEnd()).then(() => say("Copied"));
  const link = event.target.closest("[data-copy-from]");
  if (link && !event.ctrlKey && !event.metaKey) { event.preventDefault(); copyFrom(link); }
};

const onChange = (event) => {
  if (event.target.id === "all") rows().forEach((row) => { box(row).checked = event.target.checked; });
  if (event.target.matches(".search-form select")) event.target.form.requestSubmit();
  mark();
};

document.addEventListener("keydown", onKey);
document.addEventListener("click", onClick);
document.addEventListener("change", onChange);
$("#palette").addEventListener("input", fillPalette);
$("#palette").addEventListener("keydown", steer);
document.addEventListener("htmx:afterSettle", () => { reveal(); mark(); fade(); });
reveal();
mark();
fade();
