// The list of sessions, in the column at the left, or the drawer that `Panel` makes of it on a
// narrow screen. Nothing is listed yet.

export function Sidebar() {
  return null;
}
