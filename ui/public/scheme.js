// Sets the colour scheme before the first paint; a file of its own because the CSP forbids inline scripts.
(() => {
  let stored = null;
  try {
    stored = localStorage.getItem("narrows.scheme");
  } catch {
    // Storage can be switched off; the system's scheme is used then.
  }
  const light =
    stored === "light" || (stored !== "dark" && matchMedia("(prefers-color-scheme: light)").matches);
  document.documentElement.setAttribute("data-mantine-color-scheme", light ? "light" : "dark");
})();
