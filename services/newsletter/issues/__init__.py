"""The monthly issue from its opening to the end of its sending.

`rules` decide without I/O; `tables` keep. `opening` and `cutting` go by the clock; `editing` is what people do to texts and blocks;
`matter` is what an approval is bound to; `scheduling` lets approved issues leave and stops those that are no longer approved; `telling`
puts what others hear of it into the outbox.
"""
