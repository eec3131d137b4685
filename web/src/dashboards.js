/** The list of dashboards: new ones, and files. */

import { startImport, startNew } from "./dashboards/making.js";

startNew(document.querySelector("[data-new-dashboard]"));
startImport(document.querySelector("[data-import-dashboard]"));
