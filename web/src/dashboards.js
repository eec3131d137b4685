/** The list of dashboards: new ones, files, and what is deleted. */

import { startDeleting } from "./dashboards/deleting.js";
import { startImport, startNew } from "./dashboards/making.js";

startNew(document.querySelector("[data-new-dashboard]"));
startImport(document.querySelector("[data-import-dashboard]"));
startDeleting();
