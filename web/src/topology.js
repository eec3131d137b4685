/** The topology page: devices and how they are related, as a graph and as a table. */

import { TopologyPage } from "./topology/page.js";

new TopologyPage(document.querySelector("[data-topology]")).start();
