"""What an issue looks like in every language: its blocks, what each language lacks, and the mail they give. No I/O."""
