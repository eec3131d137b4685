/** The icons that templates and scripts may show, by their names at https://tabler.io/icons. */
export const ICONS = [
  "alert-circle", "alert-triangle", "arrow-down", "arrow-up", "arrows-maximize", "arrows-minimize", "bell", "box",
  "building-warehouse", "calendar-time", "car", "check", "chevron-left", "chevron-right", "circle-check", "clock",
  "command", "copy", "cpu", "database", "device-desktop", "device-desktop-analytics", "device-laptop", "devices",
  "dots", "download", "filter", "fingerprint", "gauge", "history", "key", "keyboard", "layout-dashboard", "login-2",
  "logout", "moon", "network", "player-play", "plug-connected", "plus", "refresh", "router", "search", "server",
  "settings", "shield-lock", "ship", "sun", "sun-moon", "temperature", "trash", "user", "users", "x", "zoom-out",
  "plug-connected-x", "devices-pc", "archive", "users-group", "hierarchy-2", "chart-line", "table", "info-circle",
  "layout-board", "pencil", "copy-plus", "upload", "device-floppy", "grip-vertical",
  "id-badge-2", "clock-stop", "eye", "bookmark", "tag", "star",
  "map-pin", "list-numbers", "shopping-cart",
];
