// One vertical line through all charts, and the numbers where it stands.
const charts = document.getElementById("charts");
const lines = charts.querySelectorAll(".cursor");
const values = charts.querySelectorAll("b[data-key]");
const when = document.getElementById("when");
const rest = when.textContent;
const last = Object.values(RUN.series)[0].length - 1;

function show(index) {
  const x = RUN.left + (RUN.inner * index) / last;
  lines.forEach((line) => { line.setAttribute("x1", x); line.setAttribute("x2", x); });
  values.forEach((value) => {
    const decimals = Number(value.dataset.decimals);
    const number = RUN.series[value.dataset.key][index];
    value.textContent = number.toLocaleString("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals }) + value.dataset.suffix;
  });
  when.textContent = new Date((RUN.start + RUN.step * index) * 1000).toUTCString().slice(0, 22) + " UTC";
  charts.classList.add("hover");
}

charts.addEventListener("pointermove", (event) => {
  const box = charts.querySelector("svg").getBoundingClientRect();
  const x = ((event.clientX - box.left) / box.width) * RUN.width;
  show(Math.max(0, Math.min(last, Math.round(((x - RUN.left) / RUN.inner) * last))));
});
charts.addEventListener("pointerleave", () => {
  charts.classList.remove("hover");
  values.forEach((value) => { value.textContent = ""; });
  when.textContent = rest;
});
