// Opens and closes the list of sessions, from the bar of each view. Absent while there is no list.

export function SidebarButton() {
  return null;
}
