/** The page of a device: what its open tab shows is kept up to date. */

import { startAlertMarks } from "./charts/alert_marks.js";
import { Dashboard } from "./device/dashboard.js";
import { followPartitions } from "./device/partitions.js";
import { ProcessTable } from "./device/processes.js";
import { startRangePicker } from "./time/range_picker.js";
import { startSectionNav } from "./device/section_nav.js";
import { moment } from "./device/moment.js";

const root = document.querySelector("[data-device-page]");
const { device } = root.dataset;

/** The moment that was picked on a chart is the one whose processes are shown. */
function passOnMoment() {
  for (const link of document.querySelectorAll(".page-tabs a[href*='tab=processes']")) {
    const url = new URL(link.href);
    if (moment.at === null) url.searchParams.delete("at");
    else url.searchParams.set("at", moment.at);
    link.href = url;
  }
}

if (root.querySelector("[data-range-toolbar]")) {
  startRangePicker(root.querySelector("[data-range-toolbar]"));
  startSectionNav(root.querySelector("[data-section-nav]"));
  new Dashboard(root).start();
  startAlertMarks(root, () => [device]);
  moment.addEventListener("change", passOnMoment);
  passOnMoment();
}
if ("processes" in root.dataset) new ProcessTable(root, device);
if ("partitions" in root.dataset) followPartitions(root, device);
