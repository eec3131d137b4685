/** Runs before the first paint, so that the chosen theme never flashes. */

import { applyTheme, storedTheme } from "./shell/theme_choice.js";

applyTheme(storedTheme());
