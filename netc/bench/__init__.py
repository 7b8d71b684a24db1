"""How fast engines run a network, measured side by side: each in a process of its own, one of them at a time.

`rows` holds what is measured of each (engine, precision, batch), `statistics` what is made of the times, `measure`
starts the processes (`process`) and gives them turns, `worker` is such a process, and `subjects` what it runs.
"""
