// The ways to download a session. A link where that does; where a token is needed, which a link cannot carry, the
// page asks for the file itself and hands it to the browser.

import { useState } from 'preact/hooks';
import { accessToken } from '../access/token';
import { announce } from '../announce';
import { api, ApiError } from '../api';
import type { ExportFormat } from '../api/types';
import type { SessionId } from '../protocol';
import { strings } from '../strings';
import { Icon } from '../ui/icons';
import { nameIn, save } from './save';

const FORMATS: readonly ExportFormat[] = ['markdown', 'json', 'jsonl'];

export function Downloads({ id }: { id: SessionId }) {
  const [trouble, setTrouble] = useState<string | null>(null);
  const fetchIt = async (format: ExportFormat) => {
    setTrouble(null);
    announce(strings.sidebar.exporting);
    try {
      const response = await api.export(id, format);
      save(await response.blob(), nameIn(response.headers.get('content-disposition')) ?? `${id}.${format}`);
      announce(strings.sidebar.exported);
    } catch (error) {
      const why = strings.sidebar.notExported(error instanceof ApiError ? error.message : String(error));
      setTrouble(why);
      announce(why);
    }
  };
  return (
    <section class="field">
      <h3>{strings.sidebar.export}</h3>
      <div class="chips">
        {FORMATS.map((format) => {
          const content = <><Icon name="download" />{strings.sidebar.formats[format]}</>;
          if (accessToken.value === null) {
            return <a key={format} class="chip" href={api.exportAddress(id, format)} download="">{content}</a>;
          }
          return <button key={format} type="button" class="chip" onClick={() => void fetchIt(format)}>{content}</button>;
        })}
      </div>
      {trouble !== null && <p class="note bad">{trouble}</p>}
    </section>
  );
}
