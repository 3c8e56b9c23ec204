"""What the browser shows: the code and style of the token view, and the messages that feed it.

Nothing here knows Streamlit: the app mounts this code as components, an exported page carries it in itself.
"""
