/** The icons that templates and scripts may show, by their names at https://tabler.io/icons. */
export const ICONS = [
  "activity", "alert-circle", "alert-triangle", "arrow-down", "arrow-up", "arrows-sort", "arrows-maximize",
  "arrows-minimize", "box", "building-warehouse", "calendar-time", "car", "check", "chevron-down", "chevron-left",
  "chevron-right", "circle-check", "circle-x", "clock", "clock-pause", "cloud", "command", "copy", "cpu", "database",
  "device-desktop", "device-desktop-analytics", "device-laptop", "devices", "dots", "download", "eye", "eye-off", "filter", "fingerprint", "flame",
  "gauge", "heart-rate-monitor", "history", "key", "keyboard", "layout-dashboard", "list-details", "login-2", "logout", "menu-2",
  "moon", "network", "player-pause", "player-play", "plug-connected", "plus", "refresh", "router", "search", "server",
  "settings", "shield-lock", "ship", "sun", "sun-moon", "temperature", "terminal-2", "trash", "user", "users", "x",
  "zoom-out", "wifi-off", "plug-connected-x", "devices-pc", "adjustments-horizontal", "archive", "users-group", "hierarchy-2", "chart-line", "table", "info-circle",
  "layout-board", "pencil", "copy-plus", "upload", "arrow-left", "arrow-right", "device-floppy", "minus",
];
