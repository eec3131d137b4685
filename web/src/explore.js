/** The Explore page: asks for metrics or in PromQL, and shows the answer as a graph or a table. */

import { ExplorePage } from "./explore/page.js";

new ExplorePage(document.querySelector("[data-explore]")).start();
