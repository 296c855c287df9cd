// Comfort only: every page works without this file.
"use strict";

const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];

/** The two largest units that matter, as the server words it: "3 days 4 hours". */
function wording(seconds) {
  const start = UNITS.findIndex(([, size]) => seconds >= size);
  if (start < 0) return "0 seconds";
  return UNITS.slice(start, start + 2)
    .map(([name, size], index) => {
      const rest = index === 0 ? seconds : seconds % UNITS[start][1];
      const count = Math.floor(rest / size);
      return count ? `${count} ${name}${count === 1 ? "" : "s"}` : "";
    })
    .filter(Boolean)
    .join(" ");
}

for (const element of document.querySelectorAll("[data-countdown]")) {
  const end = Date.parse(element.getAttribute("datetime"));
  const tick = () => {
    const seconds = Math.floor((end - Date.now()) / 1000);
    if (seconds < 0) {
      clearInterval(timer);
      element.textContent = "now – reload the page";
      return;
    }
    element.textContent = wording(seconds);
  };
  const timer = setInterval(tick, 1000);
  tick();
}

for (const all of document.querySelectorAll("[data-select-all]")) {
  const boxes = [...document.getElementsByName(all.dataset.selectAll)];
  const label = all.closest("label");
  label.hidden = boxes.length === 0;
  const show = () => {
    const ticked = boxes.filter((box) => box.checked).length;
    all.checked = ticked === boxes.length;
    all.indeterminate = ticked > 0 && ticked < boxes.length;
  };
  all.addEventListener("change", () => boxes.forEach((box) => { box.checked = all.checked; }));
  boxes.forEach((box) => box.addEventListener("change", show));
}

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}

document.querySelector("[data-focus]")?.focus();
