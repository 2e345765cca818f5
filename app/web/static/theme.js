// Runs before the first paint, so that a chosen theme or density never flashes.
(() => {
  const root = document.documentElement;
  root.classList.add("js");
  try {
    for (const name of ["theme", "density"]) {
      const chosen = localStorage.getItem(name);
      if (chosen) root.dataset[name] = chosen;
    }
  } catch {
    // Storage may be forbidden; then the system's choice stands.
  }
})();
