"""The relay (docs/protocol.md §9): takes signed intents, keeps the book, tells who asks. It holds no keys.

`app` serves over HTTP and WebSocket, `intake` decides what is accepted, `store` keeps it, `watcher` follows the chain,
`view` asks the chain.
"""
