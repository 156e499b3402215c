"""Every page in a browser: sound for axe, whole at every width, in three languages, by day and by night."""
