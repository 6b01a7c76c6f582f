<?php

// Of the code of releases of 2025, the words by which the auditor knows them:
// Nordigen account '…' is not ready (status=…)
