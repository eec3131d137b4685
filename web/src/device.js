/** The device page: charts, processes, tables. */


import { Dashboard } from "./device/dashboard.js";
import { ProcessTable } from "./device/processes.js";
import { startRangePicker } from "./time/range_picker.js";
import { startSectionNav } from "./device/section_nav.js";

const root = document.querySelector("[data-device-page]");

startRangePicker(document.querySelector("[data-range-toolbar]"));
startSectionNav(document.querySelector("[data-section-nav]"));
new Dashboard(root).start();
new ProcessTable(document.querySelector("[data-processes]"), root.dataset.device);
