// Opens and closes the inspector, from the title bar. Absent while there is nothing to look at.

export function InspectorButton() {
  return null;
}
