// Every word of the page that a person reads, in one place.

import type { EndReason, FinishReason } from './protocol';

export const strings = {
  name: 'patter',
  skip: 'Skip to the message box',
  conversation: 'Conversation',
  you: 'You said',
  model: 'Answer',
  copy: 'Copy',
  copied: 'Copied',
  thinking: 'Thinking',
  waiting: 'Waiting for the first word',
  earlier: 'Earlier version',
  jump: 'Jump to latest',
  end: 'End session',
  ending: 'Summarizing',
  startNew: 'New conversation',
  dismiss: 'Dismiss',
  close: 'Close',
  notLoaded: 'This part of the page could not be loaded. Reload the page to try again.',

  connection: {
    connecting: 'Connecting',
    open: 'Connected',
    waiting: 'Reconnecting',
    resting: 'Asleep',
    closed: 'Closed',
  },
  strip: {
    connecting: 'Connection lost. Reconnecting now.',
    waiting: (seconds: number) => `Connection lost. Next try in ${seconds} s.`,
    reassurance: 'Nothing is lost: the answer goes on at the server, and what you write waits here.',
    closed: (code: number) => `The server closed this connection (code ${code}).`,
    now: 'Try now',
  },

  composer: {
    region: 'Writing',
    label: 'Your message',
    placeholder: 'Ask something',
    hint: 'Enter sends, Shift+Enter adds a line, Esc stops',
    queued: 'Will be sent when connected',
    send: 'Send',
    stop: 'Stop',
    tooLong: (bytes: string, limit: string) => `Too long: ${bytes} of ${limit} bytes.`,
  },
  delivery: {
    waiting: 'Will be sent when connected',
    spooled: 'Safe on the server’s disk until its database is back',
    refused: 'Not taken',
    again: 'Send again',
  },

  tool: {
    running: 'running',
    approval: 'needs your approval',
    done: 'done',
    failed: 'failed',
    unfinished: 'not finished',
    arguments: 'Arguments',
    result: 'Result',
    error: 'Error',
    approve: 'Let it run',
    refuse: 'Refuse',
  },

  finish: {
    stop: '',
    length: 'Cut off: the answer reached its greatest length.',
    cancelled: 'Stopped.',
    content_filter: 'Withheld by the provider’s content filter.',
    tool_limit: 'Cut off: too many tool calls in one answer.',
    error: 'No full answer could be had.',
    interrupted: 'Interrupted: the server stopped in the middle of this answer.',
  } satisfies Record<FinishReason, string>,

  closing: {
    title: 'Session ended',
    summary: 'Summary',
    noSummary: 'No summary yet. It follows when the model can give one.',
    reason: {
      client: 'Ended on request',
      disconnect: 'Everybody had left',
      idle: 'Nothing was said for a while',
      shutdown: 'The server was shut down',
      recovered: 'Closed after a restart of the server',
    } satisfies Record<EndReason, string>,
    duration: 'duration',
    messages: 'messages',
    answers: 'answers',
    tools: 'tool calls',
    failedTools: (failed: string) => `${failed} failed`,
    tokens: 'tokens in / out',
    firstToken: 'first token, mean',
    cost: 'cost',
  },

  welcome: {
    title: 'What would you like to know?',
    lead: 'Answers arrive word by word. When one needs a tool, you see the call and what came of it.',
    examples: [
      'What is 15% of 240?',
      'What’s the weather in Paris and Rome?',
      'What is the price of AAPL times 12?',
      'What can you do?',
    ],
    terminal: 'Or from a terminal:',
  },

  spoken: {
    started: 'Answer started',
    tool: (name: string) => `Tool ${name} called`,
    complete: 'Answer complete',
    stopped: 'Answer stopped',
    failed: 'Answer failed',
    lost: 'Connection lost',
    ended: 'Session ended',
  },

  opening: {
    earlier: 'Show earlier messages',
    loading: 'Loading',
    failed: 'Earlier messages could not be loaded. Try again',
    goOn: 'Go on here',
    finalized: 'This session has ended. Writing begins it anew.',
  },

  actions: {
    region: 'Actions',
    edit: 'Edit',
    editing: 'The message as it should be',
    sendEdited: 'Send instead',
    cancel: 'Cancel',
    quote: 'Quote',
    regenerate: 'Answer again',
    readAloud: 'Read aloud',
    stopReading: 'Stop reading',
    offline: 'That needs a connection. Try again when there is one.',
  },

  voice: {
    dictate: 'Dictate',
    stopDictating: 'Stop dictating',
    privacy: 'By the browser’s own speech service: some browsers send the sound to their maker.',
    failed: (reason: string) => `Dictation ended: ${reason}`,
  },

  sidebar: {
    region: 'Conversations',
  },

  search: {
    region: 'Search',
  },

  settings: {
    title: 'Settings',
  },

  shortcuts: {
    title: 'Keyboard shortcuts',
  },

  status: {
    title: 'Status',
  },

  inspector: {
    region: 'Inspector',
  },

  ribbon: {
    region: 'Timing',
  },

  analytics: {
    title: 'Analytics',
    skip: 'Skip to the figures',
  },
};
