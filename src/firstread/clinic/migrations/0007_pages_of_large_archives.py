from django.db import migrations, models

from firstread.clinic.migrations._only_on import OnlyOn

# A case is written some ten times in its life, and a row of the outbox four times: room on the
# page keeps its indexes as they are. What is dead is swept after a hundredth of the table, not a
# fifth: at a million rows a fifth is swept once in a week, and for long.
ROOM_ON_POSTGRESQL = [
    f"""ALTER TABLE {table} SET (fillfactor = {fill}, autovacuum_vacuum_scale_factor = 0.01,
        autovacuum_analyze_scale_factor = 0.01, autovacuum_vacuum_insert_scale_factor = 0.01)"""
    for table, fill in (("clinic_case", 85), ("clinic_outgoing", 85))
]
NO_ROOM_ON_POSTGRESQL = [
    f"""ALTER TABLE {table} RESET (fillfactor, autovacuum_vacuum_scale_factor,
        autovacuum_analyze_scale_factor, autovacuum_vacuum_insert_scale_factor)"""
    for table in ("clinic_case", "clinic_outgoing")
]


class Migration(migrations.Migration):
    """Lists are gone through by an index, whose entries hold what is asked on the way."""

    dependencies = [
        ('clinic', '0006_readrow_embedding'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='auditrow',
            index=models.Index(condition=models.Q(models.Q(('action', 'viewed'), _negated=True), models.Q(('action', 'signed_in'), _negated=True), models.Q(('action', 'refused'), _negated=True)), fields=['-number'], name='audit_changes'),
        ),
        migrations.AddIndex(
            model_name='case',
            index=models.Index(condition=models.Q(('decided_at__isnull', True)), fields=['-priority', 'received_at', 'id', 'waits_for', 'check_row', 'decided_at'], name='case_open'),
        ),
        migrations.AddIndex(
            model_name='case',
            index=models.Index(condition=models.Q(('decided_at__isnull', True)), fields=['check_row', '-priority', 'received_at', 'id', 'waits_for', 'requester', 'decided_at'], name='case_open_by_check'),
        ),
        migrations.AddIndex(
            model_name='case',
            index=models.Index(condition=models.Q(('decided_at__isnull', True)), fields=['requester', '-priority', 'received_at', 'id', 'check_row', 'decided_at'], name='case_open_by_requester'),
        ),
        migrations.AddIndex(
            model_name='case',
            index=models.Index(condition=models.Q(('decided_at__isnull', False)), fields=['-decided_at', 'id', 'check_row', 'priority'], name='case_decided'),
        ),
        migrations.AddIndex(
            model_name='case',
            index=models.Index(condition=models.Q(('decided_at__isnull', False)), fields=['check_row', '-decided_at', 'id', 'priority'], name='case_decided_by_check'),
        ),
        migrations.AddIndex(
            model_name='case',
            index=models.Index(condition=models.Q(('decided_at__isnull', False)), fields=['priority', '-decided_at', 'id', 'check_row'], name='case_decided_by_priority'),
        ),
        migrations.AddIndex(
            model_name='case',
            index=models.Index(condition=models.Q(('retry_at__isnull', False)), fields=['check_row', '-retry_at'], name='case_tried_again'),
        ),
        migrations.AddIndex(
            model_name='refusedsample',
            index=models.Index(fields=['-received_at'], name='refused_newest'),
        ),
        OnlyOn("postgresql", ROOM_ON_POSTGRESQL, NO_ROOM_ON_POSTGRESQL),
    ]
