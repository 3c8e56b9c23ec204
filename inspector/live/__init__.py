"""Generations under way: what samples, what has come so far, and what the browser is told of it.

Knows engines and views, and nothing of Streamlit: a run goes on while the page is drawn anew, and the browser asks
for its tokens at an address of its own (:mod:`inspector.live.route`).
"""
