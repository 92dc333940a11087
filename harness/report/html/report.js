/* Draws the charts, and tells the stories of orders when they are opened. Everything that came from a run is put
   into the page as text, never as markup. */
const LANES = ["Customer", "API", "Providers"];
const API = 1;
const FAULT = 3;
const EDGES = { begins: "\u26a1 fault begins", over: "\u25bc fault over", "all along": "condition, all along" };
const MINOR = 1;
const DURING = 2;
const SHOWN = 40; // stories listed at a time
const OPENED_IN_PRINT = 10;
const LONG = 300; // a message beyond this is cut in the list, and stands whole below its story

const node = (name, attributes = {}, ...children) => {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
};
const data = [...document.querySelectorAll('script[type="application/json"]')].map((block) => JSON.parse(block.textContent));

/* ---- charts ---- */
function wrapped(text, most) {
  const lines = [""];
  for (const word of text.split(" ")) {
    if (lines.at(-1).length + word.length > most) lines.push("");
    lines[lines.length - 1] += `${word} `;
  }
  return lines.map((line) => line.trim()).filter(Boolean);
}
function sized(spec, width) {
  const left = width < 620 ? 146 : 182;
  const copy = structuredClone(spec);
  const plot = Math.max(160, width - left - 22);
  for (const track of copy.vconcat) {
    track.width = plot;
    track.title.text = wrapped(track.title.text, (width - 30) / 7);
  }
  if (width < 620) {
    copy.config.legend.columns = 1;
    copy.config.title.frame = "bounds";
  }
  Object.assign(copy.config.axisY, { minExtent: left - 12, maxExtent: left - 12, labelLimit: left - 16 });
  return copy;
}
async function draw(number) {
  const place = document.getElementById(`chart-${number}`);
  const spec = data[number - 1].chart;
  if (!place || !spec || place.drawnAt === place.clientWidth) return;
  place.drawnAt = place.clientWidth;
  await window.vegaEmbed(place, sized(spec, place.clientWidth), { actions: false, renderer: "svg", ast: true, hover: false });
  place.style.minHeight = "0";
}
async function drawAll() {
  for (let number = 1; number <= data.length; number += 1) {
    await draw(number);
    await new Promise((resume) => setTimeout(resume));
  }
  document.documentElement.dataset.drawn = "yes";
}

/* ---- the chart's figures as a table ---- */
const COLUMNS = [
  ["at_s", "second"], ["due", "due"], ["begun", "begun"], ["paid", "paid"], ["ok", "acknowledged"], ["fail", "refused"],
  ["info", "unknown"], ["p50_ms", "p50, ms"], ["p99_ms", "p99, ms"], ["max_ms", "slowest, ms"], ["unanswered", "never answered"],
];
function figures(details) {
  const { bins, charges } = data[details.dataset.of - 1].chart.datasets;
  const moved = new Map();
  for (const each of charges) moved.set(each.at_s, [...(moved.get(each.at_s) ?? []), `${each.what} (${Math.abs(each.n)})`]);
  const head = node("tr", {}, ...[...COLUMNS.map(([, title]) => title), "providers"].map((title) => node("th", { scope: "col", class: "n" }, title)));
  const rows = bins.map((bin) => node("tr", {},
    ...COLUMNS.map(([name]) => node("td", { class: "n" }, String(bin[name] ?? ""))),
    node("td", {}, (moved.get(bin.at_s) ?? []).join("; "))));
  return node("table", {}, node("thead", {}, head), node("tbody", {}, ...rows));
}

/* ---- stories ---- */
const instant = (ms) => (ms === null ? "at rest" : `${ms < 0 ? "-" : "+"}${(Math.abs(ms) / 1000).toFixed(3)} s`);

function lanes(steps) {
  const body = node("tbody");
  for (const [ms, lane, who, what, flags = 0, answer = "", trace = ""] of steps) {
    const row = node("tr", {}, node("td", { class: "at" }, instant(ms)));
    if (lane === FAULT) {
      const [, edge, name] = /^(begins|over|all along): (.*)$/s.exec(what) ?? [null, "", what];
      row.classList.add("fault");
      row.append(node("td", { colspan: LANES.length }, `${EDGES[edge] ?? ""}: ${name}`));
    } else {
      if (ms === null) row.classList.add("rest");
      if (flags & MINOR) row.classList.add("minor");
      for (let column = 0; column < LANES.length; column += 1) {
        const cell = node("td");
        if (column === lane) {
          cell.dataset.lane = LANES[column];
          if (/^(captured|refunded|took|gave) /.test(what)) cell.className = "money";
          cell.append(node("span", { class: "who" }, `${who} `), what);
          if (trace) cell.append(node("div", { class: "who" }, "trace ", node("code", { class: "trace" }, trace)));
        }
        if (answer && column === API) {
          if (answer.includes("[info")) cell.className = "unknown";
          cell.dataset.lane = LANES[API];
          cell.append(node("span", { class: "who" }, "answers "), answer);
        }
        row.append(cell);
      }
    }
    if (flags & DURING) row.classList.add("during");
    body.append(row);
  }
  const head = node("tr", {}, node("th", { class: "at", scope: "col" }, "when"), ...LANES.map((lane) => node("th", { scope: "col" }, lane)));
  return node("table", { class: "lanes" }, node("thead", {}, head), body);
}

function tale(each, promises) {
  const [subject, broken, message, whole, steps] = each;
  const summary = node("summary", {}, node("code", {}, subject), ...broken.map((at) => node("span", { class: "promise" }, promises[at])),
    node("span", { class: "message" }, message));
  const details = node("details", { class: "tale" }, summary);
  details.addEventListener("toggle", () => open(details, steps, whole, message));
  details.fill = () => open(details, steps, whole, message);
  return details;
}
function open(details, steps, whole, message) {
  if (details.filled) return;
  details.filled = true;
  if (steps.length) details.append(lanes(steps));
  if (message.length > LONG) details.append(node("p", { class: "sentence" }, message));
  const minor = steps.filter((step) => step[4] & MINOR).length;
  if (minor) {
    const every = node("button", { type: "button" }, `Show ${minor} more rows: requests, queries, notices, looks that found what they sought`);
    every.addEventListener("click", () => {
      details.classList.add("every");
      every.remove();
    });
    details.append(every);
  }
  if (!whole) details.append(node("p", { class: "sentence" }, "More of its rows stand in verdict.json."));
}

function stories(section) {
  const { told, named, promises } = data[section.dataset.of - 1].tales;
  const place = section.querySelector(".tales");
  if (!place) return;
  const every = [...told, ...named.map(([subject, broken]) => [subject, broken, "named only: harness explain tells of it", 0, []])];
  const find = node("input", { type: "search", placeholder: "order, number, trace, words", "aria-label": "Find an order" });
  const which = node("select", { "aria-label": "Only one promise" }, node("option", { value: "" }, "every broken promise"),
    ...promises.map((name, at) => node("option", { value: at }, `${name} (${every.filter((each) => each[1].includes(at)).length})`)));
  const count = node("span", { class: "sentence", role: "status" });
  const list = node("div");
  const more = node("button", { type: "button" }, "Show more");
  let fitting = every;
  let shown = 0;
  const extend = () => {
    list.append(...fitting.slice(shown, shown + SHOWN).map((each) => tale(each, promises)));
    shown = Math.min(fitting.length, shown + SHOWN);
    count.textContent = `${shown} of ${fitting.length} shown`;
    more.hidden = shown === fitting.length;
  };
  const filter = () => {
    const words = find.value.trim().toLowerCase();
    fitting = every.filter(([subject, broken, message, , steps]) =>
      (which.value === "" || broken.includes(Number(which.value))) &&
      (!words || subject.toLowerCase().includes(words) || message.toLowerCase().includes(words) || steps.some((step) => `${step[3]} ${step[5] ?? ""} ${step[6] ?? ""}`.toLowerCase().includes(words))));
    list.replaceChildren();
    shown = 0;
    extend();
  };
  find.addEventListener("input", filter);
  which.addEventListener("change", filter);
  more.addEventListener("click", extend);
  place.append(node("div", { class: "find" }, find, which, count), list, more);
  extend();
  const first = list.querySelector(".tale");
  if (first) first.open = true;
}

for (const section of document.querySelectorAll(".orders")) stories(section);
for (const details of document.querySelectorAll(".figures")) {
  details.addEventListener("toggle", () => {
    const place = details.querySelector(".scroll");
    if (details.open && !place.firstChild) place.append(figures(details));
  });
}
await drawAll();

let waiting = 0;
addEventListener("resize", () => {
  clearTimeout(waiting);
  waiting = setTimeout(drawAll, 200);
});
addEventListener("beforeprint", () => {
  for (const section of document.querySelectorAll(".orders")) {
    for (const each of [...section.querySelectorAll(".tale")].slice(0, OPENED_IN_PRINT)) {
      each.fill();
      each.open = true;
    }
  }
});
