"""What does Locust's own web UI say of a run, and what does it refuse?

    Lifecycle ──Known──> telling (words) ──> drawing (HTML) ──> routes below /payment-chaos <── tab.js, in Locust's page

Locust's bundle draws tables only, sorts their rows, and asks for news only while a test runs. So its tab holds an
element of ours, which asks for itself, during the run and after it.
"""
