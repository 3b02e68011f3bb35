// Components whose code is loaded when they are first drawn, to keep the first load small.

import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { strings } from '../strings';

/** A component that draws nothing until its code is there, and says so where it cannot be had. */
export function lazily<P extends object>(load: () => Promise<ComponentType<P>>): ComponentType<P> {
  let loaded: ComponentType<P> | undefined;
  return function Lazy(props: P) {
    const [, drawAgain] = useState(0);
    const [failed, setFailed] = useState(false);
    useEffect(() => {
      if (loaded !== undefined) return;
      load().then(
        (component) => {
          loaded = component;
          drawAgain(1);
        },
        () => setFailed(true),
      );
    }, []);
    if (failed) return <p class="note bad">{strings.notLoaded}</p>;
    const Loaded = loaded;
    return Loaded === undefined ? null : <Loaded {...props} />;
  };
}
