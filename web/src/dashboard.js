/** One dashboard: shows it, and lets it be changed. */

import { DashboardPage } from "./dashboards/page.js";

new DashboardPage(document.querySelector("[data-dashboard]")).start();
