"""A soak: one client, many transfers at once, and servers that misbehave at random, for minutes on end.

``catalogue`` is what there is to transfer, ``servers`` the process that serves it, ``front`` the proxies in which it
misbehaves beyond what the fake GitHub can do; ``transfers`` asks for everything and checks every byte, ``gauges``
watches the process meanwhile, and ``__main__`` puts it together and says whether all is well.
"""
