// Which of the offered routes answers. Absent where the server offers none.

import { useEffect } from 'preact/hooks';
import { strings } from '../strings';
import { choose, chosenRoute, loadRoutes, offeredRoutes } from './routes';

export function RouteChoice() {
  useEffect(() => void loadRoutes(), []);
  const routes = offeredRoutes.value;
  if (routes.length === 0) return null;
  return (
    <select
      class="route"
      aria-label={strings.routes.label}
      value={chosenRoute.value?.name ?? ''}
      onChange={(event) => choose(event.currentTarget.value)}
    >
      <option value="">{strings.routes.automatic}</option>
      {routes.map(({ name, model }) => (
        <option key={name} value={name}>{strings.routes.option(name, model)}</option>
      ))}
    </select>
  );
}
