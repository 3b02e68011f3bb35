"""What one would write in Python: the part of patter's protocol that the benchmark speaks.

FastAPI on uvicorn with uvloop, the openai client, asyncpg. A session's messages are kept in memory and
stored before they are told. One process, as uvicorn starts by default.
"""

import os
import time
import uuid
from contextlib import asynccontextmanager

import asyncpg
import orjson
import uvicorn
from fastapi import FastAPI, WebSocket, WebSocketDisconnect
from openai import AsyncOpenAI

SCHEMA = """
create table if not exists sessions (
    session_id text primary key,
    started_at timestamptz not null default now(),
    ended_at timestamptz,
    last_seq bigint not null
);
create table if not exists events (
    session_id text not null references sessions,
    seq bigint not null,
    type text not null,
    at timestamptz not null default now(),
    payload jsonb not null,
    primary key (session_id, seq)
);
"""

BEGIN = "insert into sessions (session_id, last_seq) values ($1, 0) on conflict do nothing"

# One round trip for the row and the counter.
STORE = """
with event as (
    insert into events (session_id, seq, type, payload) values ($1, $2, $3, $4)
)
update sessions set last_seq = $2 where session_id = $1
"""

END = "update sessions set ended_at = now() where session_id = $1"


@asynccontextmanager
async def lifespan(app: FastAPI):
    app.state.model = AsyncOpenAI()
    async with asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=4, max_size=16) as pool:
        await pool.execute(SCHEMA)
        app.state.pool = pool
        yield


app = FastAPI(lifespan=lifespan)


class Session:
    def __init__(self, socket: WebSocket, session_id: str):
        self.socket = socket
        self.session_id = session_id
        self.pool = app.state.pool
        self.seq = 0
        self.history = []

    async def tell(self, event: dict):
        await self.socket.send_text(orjson.dumps(event).decode())

    async def store(self, kind: str, payload: dict):
        """Stores an event, then tells it."""
        self.seq += 1
        text = orjson.dumps(payload).decode()
        await self.pool.execute(STORE, self.session_id, self.seq, kind, text)
        event = {"seq": self.seq, "event_id": str(uuid.uuid4()), "at": time.time(), "type": kind}
        await self.tell(event | payload)

    async def run(self):
        await self.pool.execute(BEGIN, self.session_id)
        await self.tell({"type": "session_ready", "protocol": 1, "session_id": self.session_id})
        await self.store("session_started", {"user_id": None, "metadata": {}})
        try:
            while True:
                message = orjson.loads(await self.socket.receive_text())
                if message["type"] == "user_message":
                    await self.answer(message)
        finally:
            await self.pool.execute(END, self.session_id)

    async def answer(self, message: dict):
        said = {"id": message["id"], "content": message["content"], "metadata": {}}
        await self.store("user_message", said)
        self.history.append({"role": "user", "content": message["content"]})
        response_id = str(uuid.uuid4())
        stream = await app.state.model.chat.completions.create(
            model="bench", messages=self.history, stream=True
        )
        await self.tell({"type": "response_started", "response_id": response_id, "message_id": message["id"]})
        pieces = []
        async for chunk in stream:
            if chunk.choices and (content := chunk.choices[0].delta.content):
                await self.tell(
                    {"type": "token", "response_id": response_id, "index": len(pieces), "content": content}
                )
                pieces.append(content)
        content = "".join(pieces)
        self.history.append({"role": "assistant", "content": content})
        await self.store(
            "ai_response",
            {"response_id": response_id, "message_id": message["id"], "content": content, "finish_reason": "stop"},
        )


@app.websocket("/ws/session/{session_id}")
async def session(socket: WebSocket, session_id: str):
    await socket.accept()
    try:
        await Session(socket, session_id).run()
    except WebSocketDisconnect:
        pass


if __name__ == "__main__":
    uvicorn.run(
        app,
        host=os.environ["HOST"],
        port=int(os.environ["PORT"]),
        loop="uvloop",
        http="httptools",
        ws="websockets",
        ws_per_message_deflate=False,
        log_level="warning",
    )
