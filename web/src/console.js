/** What every page of the console needs. */

import { startHtmx } from "./htmx_setup.js";
import { startRefresh } from "./refresh.js";
import { startClipboard } from "./shell/clipboard.js";
import { startCommandPalette } from "./shell/command_palette.js";
import { startConditionalFields } from "./shell/conditional_fields.js";
import { startDialogs } from "./shell/dialogs.js";
import { showCurrentEntry } from "./shell/navigation.js";
import { startReordering } from "./shell/reordering.js";
import { startRowKeys } from "./shell/row_keys.js";
import { startSelection } from "./shell/selection.js";
import { startShortcuts } from "./shell/shortcuts.js";
import { startTheme } from "./shell/theme.js";
import { startTimeZones } from "./shell/time_zones.js";
import { startUploads } from "./shell/uploads.js";
import { startSparklines } from "./sparklines.js";
import { startTimes } from "./times.js";

startHtmx();
startTheme();
startTimes();
startConditionalFields();
startTimeZones();
startDialogs();
startClipboard();
showCurrentEntry();
startCommandPalette();
startShortcuts();
startRowKeys();
startReordering();
startSelection();
startUploads();
startRefresh();
startSparklines();
