"""The demo inbox: a mail server that keeps the last mails in memory, and pages that show each as people and programs see it.

It shows sign-in links to whoever opens it, so it runs only where Tidings is reached on this machine (`inbox_wanted`).
"""
